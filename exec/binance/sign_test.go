package binance

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

const (
	docAPIKey = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
	docSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
	rfcSeed   = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
)

func hmacKey(t testing.TB) *Key {
	t.Helper()
	k, err := NewHMACKey(docAPIKey, docSecret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func edKey(t testing.TB) *Key {
	t.Helper()
	seed, _ := hex.DecodeString(rfcSeed)
	k, err := NewEd25519Key("test-key", ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rsaKey is one of the keys in testdata, by its bits.
func rsaKey(bits int) func(testing.TB) *Key {
	return func(t testing.TB) *Key {
		t.Helper()
		text, err := os.ReadFile(fmt.Sprintf("testdata/rsa%d.pem", bits))
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParseKey(append(fmt.Appendf(nil, "api_key = \"rsa-test-key-%d\"\n", bits), text...))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
}

func TestSignaturesEqualTheVenuesVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/signatures.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			t.Fatalf("vector %q has %d fields, want 3", line, len(f))
		}
		kind, _, _ := strings.Cut(f[0], " ")
		key := map[string]func(testing.TB) *Key{"hmac": hmacKey, "ed25519": edKey, "rsa2048": rsaKey(2048), "rsa4096": rsaKey(4096)}[kind](t)
		s := key.Signer()
		for range 2 { // a signer keeps nothing of the last payload
			if got := string(s.AppendWS(nil, []byte(f[1]))); got != f[2] {
				t.Errorf("%s signature of %s is %s, want %s", f[0], f[1], got, f[2])
			}
			if got := string(s.AppendREST(nil, []byte(f[1]))); got != url.QueryEscape(f[2]) {
				t.Errorf("%s REST signature is %s, want %s", f[0], got, url.QueryEscape(f[2]))
			}
		}
		n++
	}
	if n != 18 {
		t.Errorf("checked %d vectors, want 18", n)
	}
}

func TestNonASCIISymbolIsEncodedBeforeItIsSigned(t *testing.T) {
	var p Params
	p.Text("symbol", "１２３４５６").Text("side", "BUY").Text("type", "LIMIT").Text("timeInForce", "GTC").Int("quantity", 1).Text("price", "0.1")
	got := string(signedQuery(&p, hmacKey(t).Signer(), "5000", core.WallNs(1499827319559*int64(1e6))))
	want := "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559" +
		"&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
	if got != want {
		t.Errorf("query is\n%s, want\n%s", got, want)
	}
}

func TestWSRequestSortsAndDoesNotEncode(t *testing.T) {
	w, err := NewWSSigner(hmacKey(t), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got := string(w.AppendRequest(nil, 7, "order.place", []WSParam{
		{Name: "type", Text: "LIMIT"}, {Name: "symbol", Text: "１２３４５６"}, {Name: "price", Text: "0.10000000"},
		{Name: "quantity", Text: "1.00000000"}, {Name: "side", Text: "BUY"}, {Name: "timeInForce", Text: "GTC"},
	}, core.WallNs(1645423376532*int64(1e6))))
	want := `{"id":7,"method":"order.place","params":{"apiKey":"` + docAPIKey + `","price":"0.10000000","quantity":"1.00000000","recvWindow":5000,` +
		`"side":"BUY","symbol":"１２３４５６","timeInForce":"GTC","timestamp":1645423376532,"type":"LIMIT",` +
		`"signature":"b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"}}`
	if got != want {
		t.Errorf("frame is\n%s, want\n%s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Error("frame is not JSON")
	}
}

func TestSubscribeIsSignedByAnyKey(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t)} {
		w, err := NewWSSigner(key, 1500*time.Microsecond)
		if err != nil {
			t.Fatal(err)
		}
		frame := w.AppendSubscribe(nil, 3, core.WallNs(1649729878532*int64(1e6)))
		var got struct {
			ID     int
			Method string
			Params struct {
				APIKey     string      `json:"apiKey"`
				RecvWindow json.Number `json:"recvWindow"`
				Timestamp  json.Number `json:"timestamp"`
				Signature  string      `json:"signature"`
			}
		}
		if err := json.Unmarshal(frame, &got); err != nil {
			t.Fatal(err)
		}
		p := got.Params
		if got.ID != 3 || got.Method != "userDataStream.subscribe.signature" || p.RecvWindow != "1.5" || p.Timestamp != "1649729878532" {
			t.Errorf("%s: request is %+v", key.Kind(), got)
		}
		want := string(key.Signer().AppendWS(nil, []byte("apiKey="+p.APIKey+"&recvWindow=1.5&timestamp=1649729878532")))
		if p.Signature != want {
			t.Errorf("%s: signature is %s, want %s", key.Kind(), p.Signature, want)
		}
	}
}

func TestEscapingEqualsTheLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		want := strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
		if got := string(appendEscaped(nil, s)); got != want {
			t.Fatalf("%q is escaped to %s, want %s", s, got, want)
		}
	})
}

func TestSecretsPrintAMark(t *testing.T) {
	const canary = "CANARYcanaryCANARYcanaryCANARY01"
	key, err := NewHMACKey(canary, canary)
	if err != nil {
		t.Fatal(err)
	}
	signer := key.Signer()
	wrapped := struct {
		Open   Secret
		hidden Secret
		key    *Key
		signer Signer
	}{NewSecret(canary), NewSecret(canary), key, signer}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", wrapped.Open, "all", wrapped)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", wrapped.Open, "all", wrapped)
	asJSON, err := json.Marshal(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	asText, err := wrapped.Open.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(asJSON) + string(asText) + wrapped.Open.String() + wrapped.Open.GoString()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{wrapped, &wrapped, wrapped.Open, &wrapped.Open, key, *key, signer} {
			all += fmt.Sprintf(verb, v)
		}
	}
	ed := edKey(t)
	edSig := ed.Signer()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all += fmt.Sprintf(verb, struct {
			a *Key
			b Signer
		}{ed, edSig}) + fmt.Sprintf(verb, edSig)
	}
	inner := signer.(*hmacSigner).start()
	state := make([]byte, 0, 32)
	for _, w := range inner.h {
		state = binary.BigEndian.AppendUint32(state, w)
	}
	for _, form := range []string{rfcSeed, strings.ToUpper(rfcSeed), "157 97 177 157", fmt.Sprintf("%x", state), asNumbers(string(state)), strings.Trim(fmt.Sprint(inner.h), "[]"), canary, hex.EncodeToString([]byte(canary)), fmt.Sprintf("%X", canary),
		asNumbers(canary), "Q0FOQVJZ"} {
		if strings.Contains(all, form) {
			t.Errorf("a secret was printed as %q", form)
		}
	}
	if fmt.Sprint(wrapped.Open) != mark {
		t.Errorf("a secret prints %q, want %q", fmt.Sprint(wrapped.Open), mark)
	}
}

// asNumbers is how fmt prints the bytes of s.
func asNumbers(s string) string {
	b := []byte(s)
	return strings.Trim(fmt.Sprintf("%v", b), "[]")
}

func TestWipeEmptiesEveryCopy(t *testing.T) {
	a := NewSecret("abc")
	b := a
	a.Wipe()
	if !b.Empty() {
		t.Error("a copy still holds the bytes")
	}
}

// The wiped slot is what a signer would have signed with.
func TestAWipedSignerSignsNonsense(t *testing.T) {
	payload := []byte("symbol=BTCUSDT&timestamp=1")
	for _, key := range []*Key{hmacKey(t), edKey(t)} {
		s := key.Signer()
		before := string(s.AppendWS(nil, payload))
		s.Wipe()
		if after := string(s.AppendWS(nil, payload)); after == before || len(after) != len(before) {
			t.Errorf("%s: a wiped signer signs %s, want something else of that length", key.Kind(), after)
		}
		if again := string(key.Signer().AppendWS(nil, payload)); again != before {
			t.Errorf("%s: wiping a signer has changed its key", key.Kind())
		}
		key.Wipe()
		if after := string(key.Signer().AppendWS(nil, payload)); after == before {
			t.Errorf("%s: a wiped key still signs", key.Kind())
		}
	}
}

func TestEd25519EqualsTheLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		private := ed25519.NewKeyFromSeed(seed)
		key, err := NewEd25519Key("k", private)
		if err != nil {
			t.Fatal(err)
		}
		s := key.Signer()
		for range 2 {
			payload := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "payload")
			want := base64.StdEncoding.EncodeToString(ed25519.Sign(private, payload))
			if got := string(s.AppendWS(nil, payload)); got != want {
				t.Fatalf("signature is %s, want %s", got, want)
			}
		}
		if !private.Public().(ed25519.PublicKey).Equal(key.public) {
			t.Fatal("public half differs")
		}
	})
}

func TestSigningAllocatesNothing(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t)} {
		s, payload, dst := key.Signer(), []byte(strings.Repeat("x", 230)), make([]byte, 0, 512)
		if n := testing.AllocsPerRun(100, func() { dst = s.AppendREST(dst[:0], payload) }); n != 0 {
			t.Errorf("%s: a signature allocates %v times, want 0", key.Kind(), n)
		}
	}
}

func TestSignaturesFitWhatIsSaidOfThem(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t), rsaKey(4096)(t)} {
		s := key.Signer()
		for i := range 20 {
			if n := len(s.AppendREST(nil, fmt.Appendf(nil, "a=%d", i))); n > s.Most() {
				t.Errorf("%s: a signature takes %d bytes, want at most %d", key.Kind(), n, s.Most())
			}
		}
	}
}

func TestFingerprintsTellKeysApartAndNothingElse(t *testing.T) {
	seen := map[string]bool{}
	for _, key := range []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t), rsaKey(4096)(t)} {
		f := key.Fingerprint()
		if seen[f] || len(f) != 16 || f != key.Fingerprint() {
			t.Errorf("%s: fingerprint is %s, want another for each key", key.Kind(), f)
		}
		seen[f] = true
		if text, err := key.PublicPEM(); (err != nil) != (key.Kind() == KeyHMAC) || err == nil && !strings.HasPrefix(text, "-----BEGIN PUBLIC KEY-----\n") {
			t.Errorf("%s: public half is %q, %v", key.Kind(), text, err)
		}
	}
}

func BenchmarkSignEd25519(b *testing.B) {
	s := edKey(b).Signer()
	payload := []byte(strings.Repeat("x", 230))
	dst := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.AppendREST(dst[:0], payload)
	}
}
