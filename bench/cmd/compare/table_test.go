package main

import (
	"bytes"
	"strings"
	"testing"
)

const output = `corpus-spot: recorded
goos: linux
BenchmarkSign/hmac/riposte-2         	  1	       100.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkSign/hmac/riposte-2         	  1	       300.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkSign/hmac/riposte-2         	  1	       110.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkSign/hmac/crypto-hmac-kept-2	  1	       220.0 ns/op	      32 B/op	       1 allocs/op
BenchmarkSign/hmac/go-binance-2      	  1	       550.0 ns/op	    1146 B/op	      13 allocs/op
BenchmarkRing/inline/riposte-2       	  1	         5.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkRing/inline/channel-2       	  1	        50.0 ns/op	       0 B/op	       0 allocs/op
PASS
`

func TestTableHasMediansRatiosAndTargets(t *testing.T) {
	var out, got bytes.Buffer
	out.WriteString(output)
	if err := print(&got, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Sign/hmac    110.0       0  crypto-hmac-kept  220.0       1   2.00x  4x go-binance: 5.0x, met",
		"Ring/inline      5.0       0           channel   50.0       0  10.00x",
		"Sign/hmac: riposte 110.0 ns crypto-hmac-kept 220.0 ns go-binance 550.0 ns",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no %q in\n%s", want, got.String())
		}
	}
}

func TestOutputWithoutContendersIsAnError(t *testing.T) {
	for _, text := range []string{"PASS\n", "BenchmarkSign-2 1 5 ns/op\n", "BenchmarkA/b/c-2 1 5 MB/s\n", "BenchmarkA/b/c-2 1 x ns/op\n",
		"BenchmarkA/b/riposte-2 1 5 ns/op\n", "BenchmarkA/b/other-2 1 5 ns/op\n"} {
		var got bytes.Buffer
		if err := print(&got, bytes.NewBufferString(text)); err == nil {
			t.Errorf("%q was taken:\n%s", text, got.String())
		}
	}
}
