package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"riposte/tools/venue"
)

// keyedVenue is a venue with one account and as many keys as a test wants, and a
// configuration that trades there with one of them.
type keyedVenue struct {
	*venue.Server
	t    *testing.T
	keys []venue.Key
	file string // the configured key file
}

func openKeyed(t *testing.T, keys ...venue.Key) *keyedVenue {
	t.Helper()
	a, err := venue.DefaultAccount(5)
	if err != nil {
		t.Fatal(err)
	}
	a.Keys = keys
	s, err := venue.Start(context.Background(), venue.Config{Seed: 5, Symbols: []string{"BTCUSDT", "ETHUSDT"}, Accounts: []venue.Account{a},
		DepthFast: 20 * time.Millisecond, Weight: venue.RateLimit{Interval: "MINUTE", Num: 1, Limit: 1_000_000},
		Connections: venue.RateLimit{Interval: "MINUTE", Num: 5, Limit: 10_000},
		Orders:      []venue.RateLimit{{Interval: "SECOND", Num: 10, Limit: 100_000}, {Interval: "DAY", Num: 1, Limit: 10_000_000}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	v := &keyedVenue{Server: s, t: t, keys: keys, file: filepath.Join(t.TempDir(), "key")}
	v.put(keys[0])
	return v
}

// hmacKeys are keys of the venue by number.
func hmacKeys(n int) (keys []venue.Key) {
	for i := range n {
		keys = append(keys, venue.NewHMACKey(5, fmt.Sprint("key ", i)))
	}
	return keys
}

// keyText is a venue's key as a key file has it.
func keyText(k venue.Key) string {
	text := fmt.Sprintf("api_key = %q\n", k.APIKey)
	if k.Kind == venue.HMAC {
		return text + fmt.Sprintf("secret = %q\n", k.Secret)
	}
	return text + k.PrivatePEM
}

// put makes k the key in the file, at once.
func (v *keyedVenue) put(k venue.Key) {
	v.t.Helper()
	if err := os.WriteFile(v.file+".new", []byte(keyText(k)), 0o600); err != nil {
		v.t.Fatal(err)
	}
	if err := os.Rename(v.file+".new", v.file); err != nil {
		v.t.Fatal(err)
	}
}

// config trades both symbols there; edits are as those of simConfig.
func (v *keyedVenue) config(edits ...string) *Config {
	v.t.Helper()
	return simConfig(v.t, append([]string{`rest = ""`, fmt.Sprintf("rest = %q", v.REST()), `stream = ""`, fmt.Sprintf("stream = %q", v.Stream()),
		`ws_api = ""`, fmt.Sprintf("ws_api = %q", v.WSAPI()), `key_file = ""`, fmt.Sprintf("key_file = %q", v.file),
		`symbols = ["BTCUSDT", "ETHUSDT", "BNBBTC", "LTCBTC", "ETHBTC"]`, `symbols = ["BTCUSDT", "ETHUSDT"]`}, edits...)...)
}

const strictly = "strict = true"

func strict(edits ...string) []string { return append([]string{"strict = false", strictly}, edits...) }

// has waits until a problem of the report holds a text.
func has(t *testing.T, d *desk, text string) *report {
	t.Helper()
	var last *report
	wait(t, text, d, func(r *report) bool { last = r; return strings.Contains(strings.Join(r.Problems, "\n"), text) })
	return last
}
