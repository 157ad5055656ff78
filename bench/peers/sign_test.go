package peers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/adshao/go-binance/v2/common"
	"github.com/cespare/xxhash/v2"

	"riposte/bench"
)

// payloads are what orders are signed over, as long as real ones.
func payloads() (out [][]byte) {
	const p = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&newOrderRespType=FULL&recvWindow=5000&newClientOrderId=rp-000sh1b-00000001&timestamp=1723161255000&price=61837.64&quantity=0.000"
	for i := range 256 {
		out = append(out, append([]byte(p), byte('0'+i/100), byte('0'+i/10%10), byte('0'+i%10)))
	}
	return out
}

// BenchmarkSign is one HMAC-SHA256 signature in hex over an order's payload.
func BenchmarkSign(b *testing.B) {
	key, err := bench.TestKey()
	if err != nil {
		b.Fatal(err)
	}
	s := key.Signer()
	secret := []byte(bench.TestSecret)
	list := payloads()
	var dst []byte
	kept := hmac.New(sha256.New, secret)
	sumOf := func(f func(p []byte) []byte) func() uint64 {
		return func() (sum uint64) {
			for _, p := range list {
				sum = sum*31 + xxhash.Sum64(f(p))
			}
			return sum
		}
	}
	contest(b, "hmac", len(list), []contender{
		{ours, sumOf(func(p []byte) []byte {
			dst = s.AppendREST(dst[:0], p)
			return dst
		})},
		{"crypto-hmac-kept", sumOf(func(p []byte) []byte {
			kept.Reset()
			kept.Write(p)
			var raw [sha256.Size]byte
			dst = hex.AppendEncode(dst[:0], kept.Sum(raw[:0]))
			return dst
		})},
		{"crypto-hmac-per-call", sumOf(func(p []byte) []byte {
			h := hmac.New(sha256.New, secret)
			h.Write(p)
			dst = hex.AppendEncode(dst[:0], h.Sum(nil))
			return dst
		})},
		{"go-binance", sumOf(func(p []byte) []byte {
			t, err := common.Hmac(bench.TestSecret, string(p))
			must(err)
			return []byte(*t)
		})},
	})
}
