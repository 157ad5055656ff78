package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/core"
	places "riposte/core/fault"
	"riposte/core/journal"
	"riposte/tools/store"
	"riposte/tools/venue"
)

// The crash loop runs the program again and again against one venue that goes on
// trading, and kills it at random instants and, in a program built with the tag
// faultpoints, at named places. After each life, and at the end, what the venue did is
// held against what the journal says.
//
//	go test -tags faultpoints ./tools/riposte/app -run Kill9 -timeout 60m   with
//	RIPOSTE_LIVES=1000      how many lives; without, a few
const (
	lifeArgs = "RIPOSTE_LIFE"     // the child's arguments, one a line
	lifeEnd  = "RIPOSTE_LIFE_END" // where it kills itself: place:nth
	livesVar = "RIPOSTE_LIVES"
)

// life is the child: the program itself.
func life(args string) int {
	if at := os.Getenv(lifeEnd); at != "" {
		dieAt(at)
	}
	return run(strings.Split(args, "\n"), os.Stdout, os.Stderr)
}

// crashLoop is the parent's side.
type crashLoop struct {
	t     *testing.T
	rng   *rand.Rand
	venue *venue.Server
	args  []string
	dir   string

	read    uint64              // journal files read so far
	intents map[string]int      // orders, by client id
	fills   map[tradeKey]int    // by how often the journal tells of them
	symbols []string            // of the session being read
	moved   []string            // holdings that moved without a trade
	tried   [places.Count]int   // deaths at each place
	hit     [places.Count]int   // those that came to be
	settled []time.Duration     // from a life's start to its first settled audit
	ordered []time.Duration     // and to its first order
	deaths  map[string]int      // by how
	trouble map[string][]string // halting differences in audits, by life
}

type tradeKey struct {
	symbol string
	trade  int64
}

func newCrashLoop(t *testing.T, seed uint64) *crashLoop {
	t.Helper()
	lots := 1 << 30
	v, err := venue.Start(context.Background(), venue.Config{Seed: seed, Symbols: []string{"BTCUSDT", "ETHUSDT"},
		Weight: venue.RateLimit{Interval: "SECOND", Num: 1, Limit: lots}, RawRequests: venue.RateLimit{Interval: "MINUTE", Num: 5, Limit: lots},
		Connections: venue.RateLimit{Interval: "MINUTE", Num: 5, Limit: lots}, DepthFast: 20 * time.Millisecond,
		Orders: []venue.RateLimit{{Interval: "SECOND", Num: 10, Limit: lots}, {Interval: "DAY", Num: 1, Limit: lots}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	key, _ := v.Key("", venue.HMAC)
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, fmt.Appendf(nil, "api_key = %q\nsecret = %q\n", key.APIKey, key.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &crashLoop{t: t, rng: rand.New(rand.NewPCG(seed, 9)), venue: v, dir: filepath.Join(dir, "journal"),
		intents: map[string]int{}, fills: map[tradeKey]int{}, deaths: map[string]int{}, trouble: map[string][]string{}}
	c.args = []string{"run", "--json"}
	for _, set := range []string{
		`venue.environment="sim"`, "venue.rest=" + v.REST(), "venue.stream=" + v.Stream(), "venue.ws_api=" + v.WSAPI(), "venue.key_file=" + keyFile,
		`venue.recv_window="300ms"`, `market.symbols=["BTCUSDT","ETHUSDT"]`, "market.snapshot_limit=100", `market.streams=["depth@100ms","bookTicker"]`,
		[]string{"strategy.name=quoter", "strategy.name=reflex"}[seed%2], "strategy.symbols=[]", "budget.dir=none",
		[]string{`strategy.params={life_min="10ms",cooldown="20ms",slack_ticks=0,slack_bps=0.0}`, `strategy.params={keep=8}`}[seed%2],
		"journal.dir=" + c.dir, "journal.file_bytes=8192", `doubt.margin="50ms"`, `doubt.span="100ms"`,
		"account.open_max=100", "account.rate_max=100000", "account.reject_max=100000",
		`limits={BTCUSDT={qty_max="1",notional_max="5000",position_max="50",open_max=40,collar_bps=500,stale_after="10s"},ETHUSDT={qty_max="10",notional_max="5000",position_max="500",open_max=40,collar_bps=500,stale_after="10s"}}`,
	} {
		c.args = append(c.args, "--set", set)
	}
	return c
}

// live runs one life. at is where it kills itself ("" nowhere), after when it is killed;
// whichever comes first. With after 0 it ends by itself after that many seconds.
func (c *crashLoop) live(at string, after time.Duration, more ...string) {
	c.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lifeArgs+"="+strings.Join(append(slices.Clone(c.args), more...), "\n"), lifeEnd+"="+at, "GORACE=halt_on_error=0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var late <-chan time.Time
	if after > 0 {
		timer := time.NewTimer(after)
		defer timer.Stop()
		late = timer.C
	}
	var err error
	select {
	case err = <-done:
	case <-late:
		_ = cmd.Process.Kill()
		err = <-done
	}
	how := "ended"
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		how = "killed by time"
		if at != "" && time.Since(began) < after {
			how = "killed at a place"
			p, _, _ := strings.Cut(at, ":")
			n, _ := strconv.Atoi(p)
			c.hit[n]++
		}
	case err == nil && slices.Contains(more, "--for"):
	default:
		c.t.Fatalf("a life ended with %v: %s", err, tail(out.String()))
	}
	c.deaths[how]++
	c.readJournal(began)
}

// die has a life kill itself the nth time it comes to a place; after is when it is killed
// if it does not come there.
func (c *crashLoop) die(p places.Point, nth int, after time.Duration) {
	c.t.Helper()
	c.tried[p]++
	at := fmt.Sprintf("%d:%d", p, nth)
	if p >= places.Drained {
		c.live(at, after, "--for", "400ms")
		return
	}
	c.live(at, after)
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// readJournal takes in the files that the life wrote.
func (c *crashLoop) readJournal(began time.Time) {
	c.t.Helper()
	settled := false
	var first [2]time.Duration
	for {
		r, err := store.OpenReader(filepath.Join(c.dir, fmt.Sprintf("%08d.journal", c.read+1)))
		if errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			c.t.Fatal(err)
		}
		records := 0
		for ; ; records++ {
			rec, err := r.Next()
			var torn *journal.TornTail
			if errors.Is(err, io.EOF) || errors.As(err, &torn) {
				break
			} else if err != nil {
				c.t.Fatal(err)
			}
			p := journal.New(rec.Kind)
			if err := p.Decode(&rec); err != nil {
				c.t.Fatal(err)
			}
			switch p := p.(type) {
			case *journal.Names:
				if p.FirstInstrument == 0 {
					c.symbols = nil
				}
				for _, in := range p.Instruments {
					c.symbols = append(c.symbols, in.Symbol)
				}
			case *journal.Intent:
				if p.Kind == core.Place {
					c.intents[p.Client.String()]++
					if first[1] == 0 {
						first[1] = time.Unix(0, int64(p.Wall)).Sub(began)
					}
				}
			case *journal.Report:
				if rep := &p.Report; rep.Kind == core.ReportFill {
					c.fills[tradeKey{c.symbols[rep.Instrument], rep.TradeID}]++
				}
			case *journal.Holding:
				if p.Kind == journal.HoldingExternal {
					c.moved = append(c.moved, fmt.Sprintf("%s %v: %s", p.Asset, p.Delta, p.Text))
				}
			case *journal.Audit:
				if p.Settled && !settled {
					settled = true
					first[0] = time.Unix(0, int64(p.Wall)).Sub(began)
				}
				if p.Halting > 0 {
					c.trouble[p.Text] = append(c.trouble[p.Text], began.Format("15:04:05.000"))
				}
			}
		}
		_ = r.Close()
		if records == 0 { // made ahead, or not begun: the next life writes there
			break
		}
		c.read++
	}
	if settled {
		c.settled = append(c.settled, first[0])
	}
	if first[1] > 0 {
		c.ordered = append(c.ordered, first[1])
	}
	c.compare(began, settled)
}

// compare holds the fills in the journal against the venue's ledger. A life that found
// account and journal equal has all fills from before it began.
func (c *crashLoop) compare(began time.Time, settled bool) {
	c.t.Helper()
	truth := c.truth()
	for k, n := range c.fills {
		if _, ok := truth[k]; !ok || n != 1 {
			c.t.Fatalf("fill %v stands %d times in the journal; the venue knows it: %v; want once and yes", k, n, ok)
		}
	}
	if !settled {
		return
	}
	for k, at := range truth {
		if at.Before(began) && c.fills[k] == 0 {
			c.t.Fatalf("fill %v of %v is not in the journal, although a life that began at %v found everything settled", k, at, began)
		}
	}
}

func (c *crashLoop) truth() map[tradeKey]time.Time {
	list, err := c.venue.Ledger("")
	if err != nil {
		c.t.Fatal(err)
	}
	fills := map[tradeKey]time.Time{}
	for i := range list {
		if e := &list[i]; e.TradeID >= 0 && e.Symbol != "" {
			fills[tradeKey{e.Symbol, e.TradeID}] = time.UnixMicro(e.Time)
		}
	}
	return fills
}

// end holds everything against everything.
func (c *crashLoop) end() {
	t := c.t
	t.Helper()
	truth := c.truth()
	lost, twice, unknown := 0, 0, 0
	for k := range truth {
		if c.fills[k] == 0 {
			lost++
		}
	}
	orders := 0
	cfg, err := parseConfig("crash", defaultTOML, setsOf(c.args)...)
	if err != nil {
		t.Fatal(err)
	}
	con, err := openContact(cfg, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = con.close() }()
	seen := map[string]int{}
	for _, sym := range cfg.Market.Symbols {
		list, err := con.rest.OrdersFrom(context.Background(), sym, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			orders++
			id := list[i].Client
			if seen[id]++; seen[id] > 1 {
				twice++
			}
			if c.intents[id] == 0 {
				unknown++
			}
			if !list[i].Status.Terminal() {
				t.Errorf("order %s works at the venue after a clean end", id)
			}
		}
	}
	for id, n := range c.intents {
		if n != 1 {
			t.Errorf("intent %s stands %d times in the journal", id, n)
		}
	}
	if lost+twice+unknown > 0 {
		t.Errorf("%d fills lost, %d orders twice at the venue, %d orders of which the journal does not know; want none", lost, twice, unknown)
	}
	if len(c.moved) > 0 {
		t.Errorf("%d balances moved without a trade, want none: %q", len(c.moved), c.moved[:min(len(c.moved), 5)])
	}
	v, err := store.Verify(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	c.stored(truth)
	f, err := store.OpenFolder(c.dir, core.NewSystemClock())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := len(f.Past.Orders()); n > 0 {
		for _, o := range f.Past.Orders() {
			if !o.Gone {
				t.Errorf("order %s is left over in the journal: %+v", o.Client, o)
			}
		}
	}
	bs, err := c.venue.Balances("")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bs {
		if a := f.Past.Assets[b.Asset]; a != nil && a.Owned != core.Amount(b.Free+b.Locked) {
			t.Errorf("%s: the journal makes it %v, the venue holds %v", b.Asset, a.Owned, core.Amount(b.Free+b.Locked))
		}
	}
	t.Logf("%v; %d orders sent on record, %d at the venue, %d fills; 0 wanted: lost %d, twice %d, unrecorded %d", c.deaths, len(c.intents), orders, len(truth), lost, twice, unknown)
	t.Logf("start to settled: %s; start to first order: %s", spread(c.settled), spread(c.ordered))
	t.Logf("journal: %d records in %d files, %.1f MB", v.Records, v.Files, float64(v.Bytes)/1e6)
	for what, at := range c.trouble {
		t.Logf("audits that found %q: %d", what, len(at))
	}
}

func setsOf(args []string) (sets []string) {
	for i := 1; i < len(args); i++ {
		if args[i-1] == "--set" {
			sets = append(sets, args[i])
		}
	}
	return sets
}

func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "never"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[int(q*float64(len(d)-1))].Round(time.Millisecond) }
	return fmt.Sprintf("p50 %v p99 %v max %v of %d lives", at(.5), at(.99), at(1), len(d))
}

// TestKill9LosesAndDoublesNothing is the crash loop.
func TestKill9LosesAndDoublesNothing(t *testing.T) {
	lives := 8
	if places.On {
		lives = 40
	}
	if text := os.Getenv(livesVar); text != "" {
		var err error
		if lives, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(2) {
		t.Run([]string{"quoter", "reflex"}[seed], func(t *testing.T) {
			c := newCrashLoop(t, seed)
			// The first of all lives, until one has opened the ledger.
			for _, p := range []places.Point{places.SegmentMade, places.CheckpointHalf, places.LedgerOpened, places.AuditTold, places.AuditDone} {
				if places.On {
					c.die(p, 1, 1500*time.Millisecond)
				}
			}
			c.live("", 0, "--for", "2s")
			for i := range lives / 2 {
				after := time.Duration(30+c.rng.IntN(900)) * time.Millisecond
				switch {
				case i%20 == 19:
					after = 2500 * time.Millisecond // what is in doubt is settled in a longer one
				case places.On && i%3 != 0:
					p := places.Point(c.rng.IntN(places.Count))
					nth := 1
					switch {
					case p >= places.OrderTaken && p <= places.StreamApplied:
						nth += c.rng.IntN(8)
					case p >= places.RotateBefore:
						nth += c.rng.IntN(2)
					}
					c.die(p, nth, 1500*time.Millisecond)
					if c.rng.IntN(4) == 0 {
						c.die(p, 1, 1500*time.Millisecond) // twice in a row, which during recovery is the harder one
					}
					continue
				}
				c.live("", after)
			}
			c.live("", 0, "--for", "4s")
			c.end()
			if places.On {
				for p := range places.Count {
					if c.tried[p] > 0 && c.hit[p] == 0 {
						t.Logf("no life died at %q", places.Point(p))
					}
				}
			}
		})
	}
}
