package signal

import (
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// shape is a bar as open, high, low, close.
type shape [4]core.Price

func falling() []shape {
	return []shape{{160, 161, 149, 150}, {150, 151, 139, 140}, {140, 141, 129, 130}, {130, 131, 119, 120}, {120, 121, 109, 110}, {110, 111, 99, 100}}
}

// mirror turns bars upside down.
func mirror(s []shape) (out []shape) {
	for _, k := range s {
		out = append(out, shape{300 - k[0], 300 - k[2], 300 - k[1], 300 - k[3]})
	}
	return out
}

func feed(t testing.TB, name string, s []shape) (float64, bool) {
	in, out := build(t, name)
	for _, k := range s {
		in.(ofBars).OnBar(&Bar{Open: k[0], High: k[1], Low: k[2], Close: k[3]})
	}
	return in.Value(out, 0)
}

func TestPatternsAreFoundWhereTheBookDrawsThem(t *testing.T) {
	for _, c := range []struct {
		name, mirrored string // "": the same
		tail           []shape
		want           float64
	}{
		{"hammer", "shooting_star", []shape{{100, 101, 90, 101}}, 1},
		{"hammer", "shooting_star", []shape{{100, 108, 90, 101}}, 0},
		{"inverted_hammer", "hanging_man", []shape{{91, 101, 90, 90}}, 1},
		{"engulfing", "", []shape{{100, 101, 95, 96}, {96, 103, 95, 102}}, 1},
		{"engulfing", "", []shape{{100, 101, 95, 96}, {96, 103, 95, 99}}, 0},
		{"engulfing", "", []shape{{96, 101, 95, 100}, {95, 103, 94, 102}}, 0}, // both up
		{"harami", "", []shape{{100, 101, 79, 80}, {85, 91, 84, 90}}, 1},
		{"harami", "", []shape{{100, 101, 79, 80}, {79, 91, 78, 90}}, 0},
		{"piercing", "", []shape{{100, 101, 79, 80}, {80, 96, 79, 95}}, 1},
		{"piercing", "", []shape{{100, 101, 79, 80}, {80, 96, 79, 89}}, 0},   // less than half
		{"piercing", "", []shape{{100, 101, 79, 80}, {80, 105, 79, 104}}, 0}, // all of it: that engulfs
		{"star", "", []shape{{100, 101, 79, 80}, {80, 83, 77, 81}, {81, 96, 80, 95}}, 1},
		{"star", "", []shape{{100, 101, 79, 80}, {80, 96, 77, 95}, {95, 99, 90, 98}}, 0},
		{"three_soldiers", "", []shape{{100, 111, 99, 110}, {105, 121, 104, 120}, {115, 131, 114, 130}}, 1},
		{"three_soldiers", "", []shape{{100, 111, 99, 110}, {105, 121, 104, 120}, {121, 131, 114, 130}}, 0},
		{"tweezer", "", []shape{{110, 111, 90, 91}, {91, 101, 90, 100}}, 1},
		{"tweezer", "", []shape{{110, 111, 90, 91}, {91, 101, 87, 100}}, 0},
		{"marubozu", "", []shape{{100, 120, 100, 120}}, 1},
		{"marubozu", "", []shape{{100, 121, 99, 120}}, 0},
		{"outside_bar", "", []shape{{100, 110, 90, 105}, {105, 115, 85, 112}}, 1},
		{"outside_bar", "", []shape{{100, 110, 90, 105}, {105, 110, 85, 108}}, 0},
	} {
		s := append(falling(), c.tail...)
		if got, ok := feed(t, c.name, s); !ok || got != c.want {
			t.Errorf("%s of %v is %v, %v, want %v", c.name, c.tail, got, ok, c.want)
		}
		m := c.mirrored
		if m == "" {
			m = c.name
		}
		if got, ok := feed(t, m, mirror(s)); !ok || got != -c.want {
			t.Errorf("%s of %v upside down is %v, %v, want %v", m, c.tail, got, ok, -c.want)
		}
	}
	for _, c := range []struct {
		name string
		tail []shape
		want float64
	}{
		{"doji", []shape{{100, 110, 90, 101}}, 1}, {"doji", []shape{{100, 110, 90, 103}}, 0}, {"doji", []shape{{100, 100, 100, 100}}, 0},
		{"spinning_top", []shape{{100, 110, 92, 104}}, 1}, {"spinning_top", []shape{{100, 110, 99, 104}}, 0},
		{"inside_bar", []shape{{100, 110, 90, 101}, {100, 109, 91, 99}}, 1}, {"inside_bar", []shape{{100, 110, 90, 101}, {100, 110, 90, 99}}, 0},
	} {
		for _, s := range [][]shape{c.tail, mirror(c.tail)} {
			if got, ok := feed(t, c.name, s); !ok || got != c.want {
				t.Errorf("%s of %v is %v, %v, want %v", c.name, s, got, ok, c.want)
			}
		}
	}
}

// No pattern speaks for higher and for lower prices on the same bars, and each one
// turned around says the opposite.
func TestPatternsTurnedAroundSayTheOpposite(t *testing.T) {
	opposite := map[string]string{"hammer": "shooting_star", "shooting_star": "hammer", "hanging_man": "inverted_hammer", "inverted_hammer": "hanging_man"}
	neutral := map[string]bool{"doji": true, "spinning_top": true, "inside_bar": true}
	rapid.Check(t, func(rt *rapid.T) {
		var s []shape
		p := core.Price(150)
		for range 8 {
			d := func() core.Price { return core.Price(rapid.IntRange(0, 6).Draw(rt, "d")) }
			k := shape{p, 0, 0, p + d() - 3}
			k[1], k[2] = max(k[0], k[3])+d(), min(k[0], k[3])-d()
			s, p = append(s, k), k[3]
		}
		for _, name := range []string{"doji", "spinning_top", "marubozu", "hammer", "hanging_man", "inverted_hammer", "shooting_star",
			"engulfing", "harami", "piercing", "star", "three_soldiers", "tweezer", "inside_bar", "outside_bar"} {
			other, sign := opposite[name], -1.0
			if other == "" {
				other = name
			}
			if neutral[name] {
				sign = 1
			}
			a, ok := feed(t, name, s)
			b, _ := feed(t, other, mirror(s))
			if !ok || a != sign*b {
				rt.Fatalf("%s of %v is %v, %s of the mirror is %v", name, s, a, other, b)
			}
		}
	})
}
