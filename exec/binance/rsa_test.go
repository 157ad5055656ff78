package binance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"unsafe"

	"riposte/core"
	"riposte/exec"
)

func TestRSASignaturesVerifyWithThePublicHalf(t *testing.T) {
	for _, bits := range []int{2048, 4096} {
		key := rsaKey(bits)(t)
		payload := "symbol=BTCUSDT&timestamp=1"
		raw, err := base64.StdEncoding.DecodeString(string(key.Signer().AppendWS(nil, []byte(payload))))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(payload))
		if err := rsa.VerifyPKCS1v15(key.public.(*rsa.PublicKey), crypto.SHA256, sum[:], raw); err != nil {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

// A request whose room was taken too small would move while it is being signed.
func TestOrdersOfEveryKindOfKeyStayInTheirRoom(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t), rsaKey(4096)(t)} {
		c := codec(t, key, 4)
		in := limit(61837_64000000, 35210000)
		c.Hint(0, lv(61837_64000000, 61837_63000000), lv(61837_65000000))
		var r exec.Request
		var signed int
		for i := range 12 {
			in.Price += core.Price(i%3) * 1_000_000
			if e := c.Place(&in, venueNow, venueNow, &r); e != exec.EncodeOK {
				t.Fatal(e)
			}
			checkRequest(t, r.Bytes, key)
			if r.Presigned {
				signed++
			}
			for c.Idle(venueNow) != 0 {
			}
			l := &c.books[0].orders[core.Buy][kindGTC]
			for _, s := range append([]sheet{l.spare, l.rungs[0].sheet}, c.first) {
				if len(s.buf) > 0 && cap(s.buf) != l.room && unsafe.SliceData(s.buf) != unsafe.SliceData(c.first.buf) {
					t.Fatalf("%s: a request has moved: room for %d bytes, want %d", key.Kind(), cap(s.buf), l.room)
				}
			}
		}
		if signed == 0 {
			t.Errorf("%s: no order was signed ahead", key.Kind())
		}
		o := exec.Order{Client: r.Client, VenueID: 12345678901}
		if e := c.Cancel(&o, venueNow, &r); e != exec.EncodeOK {
			t.Fatal(e)
		}
		q := checkRequest(t, r.Bytes, key)
		if room := c.books[0].cancel.room; len(r.Bytes) > room || q.Get("orderId") != "12345678901" {
			t.Errorf("%s: a cancel takes %d of %d bytes: %v", key.Kind(), len(r.Bytes), room, q)
		}
		if !strings.HasPrefix(string(r.Bytes), "DELETE ") {
			t.Errorf("%s: a cancel begins %.20q", key.Kind(), r.Bytes)
		}
	}
}
