package peers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/adshao/go-binance/v2/common"
	"github.com/cespare/xxhash/v2"

	"riposte/bench"
	"riposte/bench/peers/floor"
)

// signPrefix is what all orders of a symbol and side begin with; what follows it
// differs from order to order.
const signPrefix = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&newOrderRespType=FULL&recvWindow=5000&newClientOrderId=rp-000sh1b-"

// payloads are what orders are signed over, all of one length, one behind the other.
func payloads() (all []byte, list [][]byte) {
	const n = 256
	for i := range n {
		all = fmt.Appendf(all, "%s%08d&timestamp=%d&price=%d.64&quantity=0.00%03d000", signPrefix, i, 1723161255000+int64(i)*997, 61837+i, 1+i)
	}
	return all, slices.Collect(slices.Chunk(all, len(all)/n))
}

// signMatch is signing whole payloads.
func signMatch(tb testing.TB) match {
	key, err := bench.TestKey()
	if err != nil {
		tb.Fatal(err)
	}
	s := key.Signer()
	secret := []byte(bench.TestSecret)
	all, list := payloads()
	// Signatures lie one behind the other and are looked at once per pass.
	out := make([]byte, 0, 64*len(list))
	kept := hmac.New(sha256.New, secret)
	one := func(name string, sign func(dst, p []byte) []byte) contender {
		return contender{name: name, pass: func() uint64 {
			out = out[:0]
			for _, p := range list {
				out = sign(out, p)
			}
			return xxhash.Sum64(out)
		}}
	}
	m := match{name: "hmac", items: len(list), bytes: len(all), list: []contender{
		one(ours, s.AppendREST),
		one("crypto-hmac-kept", func(dst, p []byte) []byte {
			kept.Reset()
			kept.Write(p)
			var raw [sha256.Size]byte
			return hex.AppendEncode(dst, kept.Sum(raw[:0]))
		}),
		one("crypto-hmac-per-call", func(dst, p []byte) []byte {
			h := hmac.New(sha256.New, secret)
			h.Write(p)
			return hex.AppendEncode(dst, h.Sum(nil))
		}),
		one("go-binance", func(dst, p []byte) []byte {
			t, err := common.Hmac(bench.TestSecret, string(p))
			must(err)
			return append(dst, *t...)
		}),
	}}
	for _, k := range []struct{ name, prefix string }{{"floor-c-key", ""}, {"floor-c-prefix", signPrefix}} {
		c := contender{name: k.name}
		if f, err := floor.NewSigner(secret, []byte(k.prefix)); err != nil {
			c.miss = err.Error()
		} else {
			c.pass = func() uint64 {
				out = out[:cap(out)]
				f.Sign(all, len(list[0]), out)
				return xxhash.Sum64(out)
			}
		}
		m.list = append(m.list, c)
	}
	return m
}

func TestSignersAgree(t *testing.T) {
	m := signMatch(t)
	allAgree(t, []match{m})
	// Ours is held against the standard library's, and the last payload is looked at.
	_, list := payloads()
	h := hmac.New(sha256.New, []byte(bench.TestSecret))
	h.Write(list[len(list)-1])
	key, err := bench.TestKey()
	if err != nil {
		t.Fatal(err)
	}
	s := key.Signer()
	if got, want := string(s.AppendREST(nil, list[len(list)-1])), hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("got signature %s, want %s", got, want)
	}
}

// TestFloorSignsEveryLength takes messages whose ends fall on every place of a block.
func TestFloorSignsEveryLength(t *testing.T) {
	if !floor.HaveSHA() {
		t.Skip("the processor has no SHA instructions")
	}
	text := []byte(signPrefix + signPrefix)
	for n := 1; n < len(text); n++ {
		for _, prefix := range [][]byte{nil, text[:n/2]} {
			s, err := floor.NewSigner([]byte(bench.TestSecret), prefix)
			if err != nil {
				t.Fatal(err)
			}
			var out [64]byte
			s.Sign(text[:n], n, out[:])
			h := hmac.New(sha256.New, []byte(bench.TestSecret))
			h.Write(text[:n])
			if want := hex.EncodeToString(h.Sum(nil)); string(out[:]) != want {
				t.Fatalf("%d bytes, prefix of %d: got %s, want %s", n, len(prefix), out[:], want)
			}
		}
	}
}

// BenchmarkSign is one HMAC-SHA256 signature in hex over an order's payload.
func BenchmarkSign(b *testing.B) { contest(b, signMatch(b)) }
