package binance

import (
	"strings"
	"testing"
	"time"
)

func TestEachRefusalOfAKeyHasOneDiagnosis(t *testing.T) {
	may := func(flags ...string) *Restrictions {
		r := &Restrictions{set: map[string]bool{}}
		for _, f := range flags {
			r.set[f] = true
		}
		return r
	}
	short, err := NewHMACKey("CANARY key!"[:6], "CANARYSECRET")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		code int
		key  *Key
		f    KeyFacts
		want string
	}{
		{-2014, short, KeyFacts{}, "it has 6 characters, 0 of them neither letter nor digit, want 64"},
		{-2014, hmacKey(t), KeyFacts{}, "look for a proxy"},
		{-2008, hmacKey(t), KeyFacts{}, "wrong environment: testnet (testnet.example) does not know"},
		{-1022, hmacKey(t), KeyFacts{}, "the secret in key file K does not belong"},
		{-1022, edKey(t), KeyFacts{}, "public half of its Ed25519 key"},
		{-1022, rsaKey(2048)(t), KeyFacts{}, "public half of its RSA key"},
		{-1022, edKey(t), KeyFacts{Worked: true}, "a changed request"},
		{-2015, hmacKey(t), KeyFacts{}, "wrong environment: testnet (testnet.example) has never taken"},
		{-2015, hmacKey(t), KeyFacts{Worked: true}, "the address: this key worked before"},
		{-2015, hmacKey(t), KeyFacts{Rights: may(flagRead)}, "give it enableSpotAndMarginTrading"},
		{-2015, hmacKey(t), KeyFacts{Rights: may(flagSpot)}, "give it enableReading"},
		{-2015, hmacKey(t), KeyFacts{Rights: may(flagSpot, flagRead), Worked: true}, "may not make this call"},
		{-1002, hmacKey(t), KeyFacts{}, "wrong environment"},
		{-1021, hmacKey(t), KeyFacts{Clock: -3 * time.Second, ClockError: 4 * time.Millisecond}, "the clock: this host is -3s off the venue's time, measured to within 4ms"},
	} {
		tc.f.Environment, tc.f.Host, tc.f.Where = "testnet", "testnet.example", "key file K"
		got := tc.key.Diagnose(tc.code, tc.f)
		if !strings.Contains(got, tc.want) || strings.ContainsAny(got, "\n\r") || !Refusal(tc.code) {
			t.Errorf("%d %s %+v: diagnosed %q, want %q on one line", tc.code, tc.key.Kind(), tc.f, got, tc.want)
		}
		for _, part := range []string{docAPIKey[:8], docSecret[:8], "CANARY"} {
			if strings.Contains(got, part) {
				t.Errorf("%d: the diagnosis shows the key: %s", tc.code, got)
			}
		}
	}
	if Refusal(-2010) || Refusal(0) {
		t.Error("a refusal of an order is taken for one of the key")
	}
}
