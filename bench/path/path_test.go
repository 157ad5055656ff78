package path

import (
	"math"
	"os/exec"
	"strings"
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
			u := Setup{Corpus: corpus(t), Walk: Far, CPU: -1}
			o := EchoOptions{Spin: tc.spin}
			if tc.secure {
				a, err := bench.NewAuthority()
				if err != nil {
					t.Fatal(err)
				}
				u.TLS, o.TLS = a.Server(), a.Client()
			}
			res, err := u.Trial(InProcess(o), Plan{Samples: 300, Warmup: 50, Traffic: Steady(1000)})
			checkEcho(t, res, err, 300)
		})
	}
}

// checkEcho wants an order for each frame and figures that hang together.
func checkEcho(t *testing.T, res *Result, err error, samples int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f := res.Figures("echo")
	q := f.Intended
	if f.Lost != 0 || f.Stray != 0 || f.Samples != samples || res.Intended.TotalCount() != int64(samples) || res.Actual.TotalCount() != int64(samples) ||
		f.Actual.P50 <= 0 || f.Actual.P50 > q.P50 || q.Max < q.P9999 || q.P9999 < q.P999 || q.P999 < q.P99 || q.P99 < q.P90 || q.P90 < q.P50 {
		t.Fatalf("got %+v, want %d orders, none lost, none stray", f, samples)
	}
}

// TestFloorAnswersEveryFrame compiles the C echo and runs it as the harness does, alone
// and in a mixed feed where only marked frames count.
func TestFloorAnswersEveryFrame(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler here")
	}
	for _, tc := range []struct {
		name          string
		secure, mixed bool
	}{{"plain", false, false}, {"plain mixed", false, true}, {"TLS", true, false}, {"TLS mixed", true, true}} {
		t.Run(tc.name, func(t *testing.T) {
			u := Setup{Corpus: corpus(t), Walk: Far, CPU: -1}
			p := Plan{Samples: 300, Warmup: 50, Traffic: Steady(1000)}
			var a *bench.Authority
			var err error
			if tc.secure {
				if a, err = bench.NewAuthority(); err != nil {
					t.Fatal(err)
				}
				u.TLS = a.Server()
			}
			mark := Mark{}
			if tc.mixed {
				mark, u.Others = Marked(), 2
				if p.Traffic, err = Recorded(u.Corpus, RecordedOptions{Pause: time.Millisecond, Every: 3, Others: 2}); err != nil {
					t.Fatal(err)
				}
			}
			sub := Floor("floor", t.TempDir(), a, mark)
			if sub.Skip != "" && tc.secure {
				t.Skip(sub.Skip)
			}
			if sub.Skip != "" {
				t.Fatal(sub.Skip)
			}
			res, err := u.Trial(sub, p)
			checkEcho(t, res, err, 300)
		})
	}
}

// TestEchoAnswersMarkedFramesOfAMixedFeed measures in slices, too.
func TestEchoAnswersMarkedFramesOfAMixedFeed(t *testing.T) {
	u := Setup{Corpus: corpus(t), Walk: Near, CPU: -1, Others: len(Others)}
	traffic, err := Recorded(u.Corpus, RecordedOptions{Pause: time.Millisecond, Every: 4, Others: len(Others)})
	if err != nil {
		t.Fatal(err)
	}
	res, err := u.Trial(InProcess(EchoOptions{Mark: Marked()}), Plan{Samples: 300, Slice: 100, Traffic: traffic})
	checkEcho(t, res, err, 300)
}

func TestMarketRepeatsNoBidWithinItsRange(t *testing.T) {
	for _, w := range []Walk{Far, Near} {
		m, err := NewMarket(Symbol, corpus(t), w)
		if err != nil {
			t.Fatal(err)
		}
		last := map[core.Price]int{}
		for i := range 3 * bidRange {
			m.next(true)
			bid := m.made.bid
			if slotOf(bid) < 0 || bid >= askPrice {
				t.Fatalf("%s: bid %v is outside the range", w, bid)
			}
			if at, ok := last[bid]; ok && i-at < bidRange {
				t.Fatalf("%s: bid %v came again after %d touches, want %d", w, bid, i-at, bidRange)
			}
			last[bid] = i
			if m.next(false); m.made.bid != bid {
				t.Fatalf("%s: bid moved from %v to %v by a touch that moves nothing", w, bid, m.made.bid)
			}
		}
	}
	if _, err := NewMarket(Symbol, corpus(t), "sideways"); err == nil {
		t.Fatal("want an error for a walk that is none")
	}
}

func TestScheduleOfARecordingNeverFalls(t *testing.T) {
	const pause = 50 * time.Millisecond
	traffic, err := Recorded(corpus(t), RecordedOptions{Pause: pause, Every: 4, Others: 2})
	if err != nil {
		t.Fatal(err)
	}
	last, frames, touches, moves := Ns(0), 0, 0, 0
	seen := map[[2]int]int{}
	window := make([]Ns, 0, 1<<20)
	for s := range traffic {
		if frames++; frames > 200_000 {
			break
		}
		if d := s.At - last; d < 0 || d > Ns(pause) {
			t.Fatalf("frame %d leaves %v after the one before, want 0 to %v", frames, time.Duration(d), pause)
		}
		last = s.At
		seen[[2]int{s.Market, int(s.Kind)}]++
		if s.Market == 0 {
			window = append(window, s.At)
		}
		if s.Market == 0 && s.Kind == Touches {
			touches++
		}
		if s.Moves {
			if moves++; s.Market != 0 || s.Kind != Touches {
				t.Fatalf("frame %d moves the bid but is %v of market %d", frames, s.Kind, s.Market)
			}
		}
		if (s.Kind == Trades) != (len(s.Frame) > 0) {
			t.Fatalf("frame %d of kind %v has %d bytes of its own", frames, s.Kind, len(s.Frame))
		}
	}
	if len(seen) != 9 || moves != (touches+3)/4 {
		t.Fatalf("got %d streams and %d moves in %d touches, want 9 and a quarter", len(seen), moves, touches)
	}
	most, from := 0, 0
	for i := range window {
		for window[i]-window[from] > Ns(10*time.Millisecond) {
			from++
		}
		most = max(most, i-from+1)
	}
	// STATISTICS.md of the recordings: 612 frames of one symbol in 10 ms.
	if c := corpus(t); c.Recorded && most < 600 || most < 5 {
		t.Fatalf("the largest burst of one symbol has %d frames in 10 ms", most)
	}
}

func TestSteadyTrafficKeepsItsRate(t *testing.T) {
	n, depths, last := 0, 0, Ns(-1)
	for s := range Steady(1000) {
		if s.At < last || s.Kind == Touches && s.At != Ns(n)*1e6 {
			t.Fatalf("slot %+v comes after %d", s, last)
		}
		last = s.At
		if s.Kind == Depth {
			depths++
		} else if n++; n == 1001 {
			break
		}
	}
	if depths != 9 {
		t.Fatalf("got %d depth events in a second, want 9: one after each tenth but the last", depths)
	}
}

func TestFrameCountFindsFramesAcrossCuts(t *testing.T) {
	mark := Mark{Prefix: `{"ab`, At: 5}
	var stream []byte
	marked := 0
	for _, p := range []string{"", "x", `{"ab`, `{"abc2`, `{"abc3`, `{"abcd4` + strings.Repeat(" ", 300), `{"zzz2`, `{"abc8` + strings.Repeat("y", 70_000), `{"abc0`} {
		stream = bench.AppendServerFrame(stream, []byte(p))
		if len(p) > mark.At && strings.HasPrefix(p, mark.Prefix) && p[mark.At]&1 == 0 {
			marked++
		}
	}
	for _, cut := range []int{1, 2, 3, 7, 100, len(stream)} {
		every, some := frameCount{}, frameCount{mark: mark}
		n, m := 0, 0
		for b := stream; len(b) > 0; {
			k := min(cut, len(b))
			n += every.add(b[:k])
			m += some.add(b[:k])
			b = b[k:]
		}
		if n != 9 || m != marked {
			t.Errorf("cut into pieces of %d: got %d frames and %d marked, want 9 and %d", cut, n, m, marked)
		}
	}
	early := frameCount{}
	if n := early.add(stream[:1]); n != 1 {
		t.Errorf("a frame's first byte brings %d orders, want 1", n)
	}
}

func TestOrdersOfNoFrameAreStray(t *testing.T) {
	m := &measurement{p: new(Plan), due: make([]Ns, 2), got: make([]Ns, 2)}
	for i := range m.bySlot {
		m.bySlot[i] = -1
	}
	m.order(&bench.Order{Price: []byte("61800.07")}, 5)  // no frame had this bid
	m.order(&bench.Order{Price: []byte("1.00")}, 5)      // outside the range
	m.order(&bench.Order{Price: []byte("61800.0x")}, 5)  // no price
	m.order(&bench.Order{Price: []byte("61800.005")}, 5) // between two ticks
	if m.stray != 4 || m.n != 0 {
		t.Fatalf("got %d stray and %d answered, want 4 and 0", m.stray, m.n)
	}
}

// TestForeignTimeIsWhatOthersTook reads the scheduler's figures as a spinning and as a
// sleeping subject would have them.
func TestForeignTimeIsWhatOthersTook(t *testing.T) {
	second := Ns(time.Second)
	for _, tc := range []struct {
		name        string
		ran, waited time.Duration
		want        float64
	}{
		{"spins undisturbed", time.Second, 0, 0},
		{"spins, its own threads wait for it", time.Second, time.Second, 0},
		{"spins, others take a tenth", 900 * time.Millisecond, 100 * time.Millisecond, 0.1},
		{"sleeps undisturbed", 100 * time.Millisecond, 0, 0},
		{"sleeps and has to wait", 100 * time.Millisecond, 20 * time.Millisecond, 0.02},
		{"nothing is known", 0, 0, 0},
	} {
		before := use{ran: time.Minute, waited: time.Hour}
		after := use{ran: before.ran + tc.ran, waited: before.waited + tc.waited}
		if got := after.disturbed(before, second); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
	if u := threadUse(); u.ran <= 0 {
		t.Skipf("the kernel keeps no figures of threads here: %+v", u)
	}
}

func TestPostedFormIsReadLikeAQuery(t *testing.T) {
	s := new(Server)
	for _, head := range []string{"POST /api/v3/order?timestamp=1&signature=2 HTTP/1.1\r\nContent-Length: 55\r\n\r\n", "POST /api/v3/order HTTP/1.1\r\nContent-Length: 55\r\n\r\n"} {
		body := "symbol=BTCUSDT&price=61800.07&newClientOrderId=abcdefgh"
		n, ok := bodySize([]byte(head))
		o, whole := bench.ParseOrder(s.joined([]byte(head), []byte(body)))
		if !ok || n != len(body) || !whole || string(o.Symbol) != "BTCUSDT" || string(o.Price) != "61800.07" || string(o.Client) != "abcdefgh" {
			t.Errorf("%q: got length %d %t, order %+v", head, n, ok, o)
		}
	}
	if _, ok := bodySize([]byte("POST / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n")); ok {
		t.Error("a length with a letter was taken")
	}
}
