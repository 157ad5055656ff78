package path

import (
	"crypto/tls"
	"testing"
	"time"

	"go.uber.org/goleak"

	"riposte/bench"
	"riposte/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func corpus(t testing.TB) *bench.Corpus {
	t.Helper()
	c, err := bench.Load(bench.Spot)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEchoAnswersEveryFrame(t *testing.T) {
	for _, tc := range []struct {
		name         string
		secure, spin bool
	}{{"plain park", false, false}, {"plain spin", false, true}, {"TLS park", true, false}, {"TLS spin", true, true}} {
		t.Run(tc.name, func(t *testing.T) {
			var server *tls.Config
			o := EchoOptions{Spin: tc.spin, CPU: -1}
			if tc.secure {
				a, err := bench.NewAuthority()
				if err != nil {
					t.Fatal(err)
				}
				server, o.TLS = a.Server(), a.Client()
			}
			res, err := Trial(InProcess(o), corpus(t), Far, server, Plan{Samples: 300, Warmup: 50, Schedule: Steady(1000)})
			if err != nil {
				t.Fatal(err)
			}
			f := res.Figures("echo")
			if f.Lost != 0 || f.Stray != 0 || f.Samples != 300 || res.Histogram.TotalCount() != 300 || f.P50 <= 0 || f.Max < f.P99 || f.P99 < f.P50 {
				t.Fatalf("got %+v, want 300 orders, none lost, none stray", f)
			}
		})
	}
}

func TestMarketRepeatsNoBidWithinItsRange(t *testing.T) {
	for _, w := range []Walk{Far, Near} {
		m, err := NewMarket(corpus(t), w)
		if err != nil {
			t.Fatal(err)
		}
		last := map[core.Price]int{}
		for i := range 3 * bidRange {
			m.next()
			bid := m.made.bid
			if slot(bid) < 0 || bid >= askPrice {
				t.Fatalf("%s: bid %v is outside the range", w, bid)
			}
			if at, ok := last[bid]; ok && i-at < bidRange {
				t.Fatalf("%s: bid %v came again after %d touches, want %d", w, bid, i-at, bidRange)
			}
			last[bid] = i
		}
	}
	if _, err := NewMarket(corpus(t), "sideways"); err == nil {
		t.Fatal("want an error for a walk that is none")
	}
}

func TestScheduleOfARecordingNeverFalls(t *testing.T) {
	at, err := Recorded(corpus(t), 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	burst := 0
	for i := 1; i < 60_000; i++ {
		d := at(i) - at(i-1)
		if d < 0 || d > Ns(50*time.Millisecond) {
			t.Fatalf("frame %d leaves %v after the one before, want 0 to 50 ms", i, time.Duration(d))
		}
		if d < Ns(100*time.Microsecond) {
			burst++
		}
	}
	if burst == 0 {
		t.Fatal("the recording has no bursts")
	}
}

func TestFrameCountFindsEndsAcrossCuts(t *testing.T) {
	var stream []byte
	for _, n := range []int{1, 125, 126, 300, 2, 60_000} {
		stream = bench.AppendServerFrame(stream, make([]byte, n))
	}
	for _, cut := range []int{1, 2, 3, 7, 100, len(stream)} {
		var f frameCount
		got := 0
		for b := stream; len(b) > 0; {
			n := min(cut, len(b))
			got += f.add(b[:n])
			b = b[n:]
		}
		if got != 6 {
			t.Errorf("cut into pieces of %d: got %d frames, want 6", cut, got)
		}
	}
}

func TestOrdersOfNoFrameAreStray(t *testing.T) {
	m := &measurement{res: &Result{}, due: make([]Ns, 2), answered: make([]bool, 2)}
	for i := range m.bySlot {
		m.bySlot[i] = -1
	}
	m.order(&bench.Order{Price: []byte("61800.07")}, 5)  // no frame had this bid
	m.order(&bench.Order{Price: []byte("1.00")}, 5)      // outside the range
	m.order(&bench.Order{Price: []byte("61800.0x")}, 5)  // no price
	m.order(&bench.Order{Price: []byte("61800.005")}, 5) // between two ticks
	if m.res.Stray != 4 || m.got != 0 {
		t.Fatalf("got %d stray and %d answered, want 4 and 0", m.res.Stray, m.got)
	}
}
