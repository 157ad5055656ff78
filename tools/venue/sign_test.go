package venue

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// The secret and the payloads are those of the venue's own documentation (Binance Spot API docs, 2026-07-21).
const (
	docKey    = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
	docSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
)

func docVerifier(t *testing.T) *verifier {
	t.Helper()
	v, err := newVerifier(Key{APIKey: docKey, Kind: HMAC, Secret: docSecret}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// rfcKey is the Ed25519 key of RFC 8032, test 1.
func rfcKey(t *testing.T) *verifier {
	t.Helper()
	seed, err := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	if err != nil {
		t.Fatal(err)
	}
	priv := ed25519.NewKeyFromSeed(seed)
	k, err := Key{APIKey: "test-key", Kind: Ed25519}.withPair(priv, priv.Public())
	if err != nil {
		t.Fatal(err)
	}
	v, err := newVerifier(k, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRESTSignaturesOfTheDocumentationVerify(t *testing.T) {
	v := docVerifier(t)
	for _, c := range []struct{ name, query, body, signature string }{
		{"query", "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559", "",
			"c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"},
		{"non-ASCII symbol", "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559", "",
			"e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"},
		{"query and body", "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC", "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
			"0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"},
	} {
		for _, place := range []string{"query", "body"} {
			q, b := c.query, c.body
			if place == "query" {
				q += "&signature=" + c.signature
			} else {
				b = strings.TrimPrefix(b+"&signature="+c.signature, "&")
			}
			payload, sig, ok := signedPayload(q, b)
			if !ok || payload != c.query+c.body {
				t.Fatalf("%s: got payload %q, want %q", c.name, payload, c.query+c.body)
			}
			if err := v.verify([]byte(payload), sig, true); err != nil {
				t.Errorf("%s with signature in the %s: got %v, want it to verify", c.name, place, err)
			}
			if err := v.verify([]byte(payload), strings.ToUpper(sig), true); err != nil {
				t.Errorf("%s: got %v for upper-case hex, want it to verify", c.name, err)
			}
			if err := v.verify([]byte(payload+"0"), sig, true); err == nil || err.code != -1022 {
				t.Errorf("%s: got %v for another payload, want -1022", c.name, err)
			}
		}
	}
	ed := rfcKey(t)
	payload := "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918&recvWindow=5000"
	if err := ed.verify([]byte(payload), "XtZirsmmi0noRzUfkqktvkVfxpkq/WtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg==", true); err != nil {
		t.Errorf("Ed25519: got %v, want it to verify", err)
	}
}

func TestWSAPISignaturesOfTheDocumentationVerify(t *testing.T) {
	for _, c := range []struct{ name, params, payload, signature string }{
		{"order", `{"symbol":"BTCUSDT","side":"SELL","type":"LIMIT","timeInForce":"GTC","quantity":"0.01000000","price":"52000.00","recvWindow":100,"timestamp":1645423376532,"apiKey":"` + docKey + `"}`,
			"apiKey=" + docKey + "&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
			"aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"},
		{"non-ASCII symbol", `{"symbol":"１２３４５６","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"1.00000000","price":"0.10000000","recvWindow":5000,"timestamp":1645423376532,"apiKey":"` + docKey + `"}`,
			"apiKey=" + docKey + "&price=0.10000000&quantity=1.00000000&recvWindow=5000&side=BUY&symbol=１２３４５６&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
			"b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"},
	} {
		call := &call{}
		if err := call.readJSON(fastjson.MustParse(c.params)); err != nil {
			t.Fatal(err)
		}
		call.p.list = append(call.p.list, param{name: "signature", value: c.signature})
		if got := string(wsPayload(&call.p)); got != c.payload {
			t.Errorf("%s: got payload %q, want %q", c.name, got, c.payload)
		}
		if err := docVerifier(t).verify(wsPayload(&call.p), c.signature, false); err != nil {
			t.Errorf("%s: got %v, want it to verify", c.name, err)
		}
	}
	logon := "tuYYP5HsC7Xo8QWXHwy7cDXhlWsjQv2Mx98iN6ZKPVX07h4igY9e4BkdiFgdeb4ZyGOeqh0sHNhXN2MnfIPxBQ=="
	if err := rfcKey(t).verify([]byte("apiKey=test-key&timestamp=1649729878532"), logon, false); err != nil {
		t.Errorf("session.logon: got %v, want it to verify", err)
	}
}

func TestSignatureIsCutOutWithOneSeparator(t *testing.T) {
	for _, c := range []struct{ half, rest, value string }{
		{"a=1&signature=x", "a=1", "x"},
		{"signature=x&a=1", "a=1", "x"},
		{"a=1&signature=x%3D&b=2", "a=1&b=2", "x%3D"},
		{"signature=x", "", "x"},
		{"mysignature=x&a=1", "mysignature=x&a=1", ""},
		{"a=signature=&b=1", "a=signature=&b=1", ""},
		{"", "", ""},
		{"a=1&&signature=", "a=1&", ""},
	} {
		if rest, value, _ := cutSignature(c.half); rest != c.rest || value != c.value {
			t.Errorf("cutSignature(%q): got %q %q, want %q %q", c.half, rest, value, c.rest, c.value)
		}
	}
}

func TestMalformedSignaturesAreRefused(t *testing.T) {
	v := docVerifier(t)
	for _, c := range []struct {
		v    *verifier
		sig  string
		code int
	}{
		{v, "", -1100}, {v, strings.Repeat("g", 64), -1100}, {v, strings.Repeat("a", 63), -1100}, {v, strings.Repeat("a", 64), -1022},
		{rfcKey(t), "not base64!", -1022}, {rfcKey(t), "AAAA", -1022},
	} {
		if err := c.v.verify([]byte("a=1"), c.sig, true); err == nil || err.code != c.code {
			t.Errorf("signature %q: got %v, want %d", c.sig, err, c.code)
		}
	}
	raw := "symbol=１２３"
	if err := v.verify([]byte(raw), hmacHex(docSecret, raw), true); err == nil || err.code != -1022 {
		t.Errorf("raw non-ASCII payload on REST: got %v, want -1022", err)
	}
	if err := v.verify([]byte(raw), hmacHex(docSecret, raw), false); err != nil {
		t.Errorf("raw non-ASCII payload on the WS API: got %v, want it to verify", err)
	}
}

func TestKeysThatCannotVerifyAreRefusedAtStart(t *testing.T) {
	ed, err := NewEd25519Key(1, "a")
	if err != nil {
		t.Fatal(err)
	}
	wrong := ed
	wrong.Kind = RSA
	for _, k := range []Key{{}, {APIKey: "a", Kind: HMAC}, {APIKey: "a", Kind: "DSA"}, {APIKey: "a", Kind: RSA, PublicPEM: "x"},
		{APIKey: "a", Kind: Ed25519, PublicPEM: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, wrong} {
		if _, err := newVerifier(k, 0); err == nil {
			t.Errorf("key %+v: got no error, want one", k)
		}
	}
}

// privateOf reads the private half of a key for a test client.
func privateOf(t *testing.T, k Key) any {
	t.Helper()
	block, _ := pem.Decode([]byte(k.PrivatePEM))
	if block == nil {
		t.Fatal("no PEM block in the private key")
	}
	p, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signWith(t *testing.T, k Key, payload string) string {
	t.Helper()
	switch p := privateOf(t, k).(type) {
	case ed25519.PrivateKey:
		return base64.StdEncoding.EncodeToString(ed25519.Sign(p, []byte(payload)))
	case *rsa.PrivateKey:
		sum := sha256.Sum256([]byte(payload))
		sig, err := rsa.SignPKCS1v15(rand.Reader, p, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(sig)
	default:
		t.Fatalf("got a %T, want an RSA or Ed25519 key", p)
		return ""
	}
}

func TestEveryKeyKindSignsRESTRequests(t *testing.T) {
	rsaKey, err := NewRSAKey(3, "a")
	if err != nil {
		t.Fatal(err)
	}
	ed, err := NewEd25519Key(3, "a")
	if err != nil {
		t.Fatal(err)
	}
	s := venueOf(t, func(c *Config) {
		c.Quiet = true
		c.Accounts = []Account{{Name: "a", Balances: map[string]string{"USDT": "1000"}, Keys: []Key{NewHMACKey(3, "a"), rsaKey, ed}}}
	})
	c := restOf(t, s)
	for _, k := range []Key{rsaKey, ed} {
		q := "omitZeroBalances=true&timestamp=" + c.stampNow()
		sig := escape(signWith(t, k, q))
		for _, bad := range []bool{false, true} {
			if bad {
				q = strings.Replace(q, "true", "TRUE", 1)
			}
			r := c.raw("GET", "/api/v3/account?"+q+"&signature="+sig, "", map[string]string{"X-MBX-APIKEY": k.APIKey})
			if want := map[bool]int{false: 200, true: 400}[bad]; r.status != want {
				t.Errorf("%s, changed %v: got %d %s, want %d", k.Kind, bad, r.status, r.body, want)
			}
		}
	}
}

// FuzzSignedPayload: whatever arrives, the payload plus the signature pair is what was sent, and nothing panics.
func FuzzSignedPayload(f *testing.F) {
	f.Add("a=1&signature=x", "b=2")
	f.Add("signature=", "signature=y&c=%zz")
	f.Add("a=1&&&", "=&=")
	f.Fuzz(func(t *testing.T, query, body string) {
		payload, _, ok := signedPayload(query, body)
		if !ok && payload != query+body {
			t.Fatalf("got payload %q without a signature, want %q", payload, query+body)
		}
		if len(payload) > len(query)+len(body) {
			t.Fatalf("got payload %q, longer than what was sent", payload)
		}
		var p params
		if p.parseForm(query) == nil {
			_ = p.parseForm(body)
		}
	})
}

func TestAnAccountHasOneKeyOfEachKindAskedFor(t *testing.T) {
	a, err := NewAccount(3, "second", HMAC, Ed25519, RSA)
	if err != nil {
		t.Fatal(err)
	}
	s := venueOf(t, func(cfg *Config) { cfg.Quiet, cfg.Accounts = true, []Account{a} })
	for _, kind := range []KeyKind{HMAC, Ed25519, RSA} {
		if k, ok := s.Key("second", kind); !ok || k.Kind != kind {
			t.Errorf("got %q, want a key of kind %s", k.Kind, kind)
		}
	}
	if _, err := NewAccount(3, "second", "ECDSA"); err == nil {
		t.Error("got no error for a kind that is none")
	}
}
