package signal

import (
	"math"
	"testing"
)

func TestSeriesEqualTheLibrarysFunctions(t *testing.T) {
	for _, scale := range []float64{1e-15, 1e-9, 1e-6, 1e-5, 9.99e-5, 1.01e-4, 1e-3, 9e-3, 0.0143, 0.0145, 0.5, 3} {
		for k := range 100 {
			x := scale * (1 + float64(k)/100)
			for _, v := range []float64{x, -x} {
				if v <= -1 {
					continue
				}
				if got, want := log1p(v), math.Log1p(v); math.Abs(got-want) > 1e-15*math.Abs(want) {
					t.Errorf("log1p(%g) is %g, want %g", v, got, want)
				}
			}
			if got, want := faded(x), -math.Expm1(-x*math.Ln2); math.Abs(got-want) > 1e-15*want {
				t.Errorf("faded(%g) is %g, want %g", x, got, want)
			}
		}
	}
	if faded(0) != 0 || log1p(0) != 0 {
		t.Error("nothing changes by something")
	}
}
