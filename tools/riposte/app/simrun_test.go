package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"riposte/core"
	"riposte/tools/sim"
	"riposte/tools/venue"
	"riposte/tools/venue/exchange"
)

// simRun is one run of a plan. Everything in it belongs to the world's goroutine unless
// it says otherwise.
type simRun struct {
	w     *sim.World
	plan  *sim.Plan
	srv   *venue.Server
	clock *simClock
	root  string // folder of all folders
	work  sync.WaitGroup
	key   string
	eye   *simEye
	port  func(*ports) // changes a life's ports; nil: does not

	guests []int64 // orders of others that rest
	spoilt string  // the good copy of a journal that was damaged, "": none was

	life       *simLife // nil between two
	lives      int
	folders    int
	stepped    time.Duration // when the loop was last stepped
	next       string        // folder of the next life
	again      time.Duration // when it may begin
	latched    time.Duration // since when a halt waits for a person, 0: none
	keyless    time.Duration // since when the key is refused
	asked      time.Duration // when a life was last asked to take it anew
	ruled      time.Duration // when a trading rule last changed
	unwritable time.Duration // since when the journal is broken
	barred     int           // faults under way that take the key's rights away
	undo       []func()      // what ends with the faults
	apiKey     string
	starved    time.Duration // until then the loop is stepped every gap at most
	gap        time.Duration
	asleep     bool // and is to be woken then

	stepping bool   // the loop is in a step
	doom     func() // at the doomIn-th place from now; nil: never
	doomIn   int
	armed    []*sim.Event // faults that wait for their state

	healed bool // there are no more faults
	over   bool // nobody looks after the engine any more
	bad    badDisk
	table  faultTable

	book sim.Book
	side []core.Level

	result simResult
}

// simResult is what a run leaves.
type simResult struct {
	Seed       uint64
	Hash       uint64
	Violations []simViolation
	Trace      string
	Simulated  time.Duration
	Wall       time.Duration
	Steps      uint64
	Lives      int
	Orders     uint64
	Fills      uint64
	Latches    map[string]int
	Table      faultTable
}

type simViolation struct {
	Promise, Text string
	At            time.Duration
}

// simulate runs a plan in a bubble of its own and returns what came of it.
func simulate(t *testing.T, plan *sim.Plan, root string, tell func(string), marks *simMarks) simResult {
	var r *simRun
	began := time.Now()
	synctest.Test(t, func(*testing.T) {
		r = newSimRun(plan, root)
		if marks != nil {
			marks.run.Store(r)
			defer marks.run.Store(nil)
		}
		r.w.Trace.All, r.w.Trace.Deep = tell, *simDeep
		r.play()
	})
	r.result.Wall = time.Since(began)
	return r.result
}

func newSimRun(plan *sim.Plan, root string) *simRun {
	r := &simRun{plan: plan, root: root, w: sim.NewWorld(plan.Seed)}
	r.clock = newSimClock(r.w.Start())
	r.w.Net.Latency = sim.Latency{Base: plan.Work.Base, Tail: plan.Work.Tail, Lean: plan.Work.Lean}
	r.result.Latches = map[string]int{}
	r.w.Violation(func(promise, text string) {
		r.result.Violations = append(r.result.Violations, simViolation{promise, text, r.w.Now()})
	})
	r.w.Stepper(r.step)
	r.eye = newSimEye(r)
	simWatching = r.eye
	r.w.Check(r.eye)
	return r
}

// plain is a text without the folder in which a run happens to be: that is no part of it.
func (r *simRun) plain(text string) string { return strings.ReplaceAll(text, r.root, "") }

// broken ends a run that the harness itself cannot go on with.
func (r *simRun) broken(err error) { r.w.Violated("harness", err.Error()) }

// openVenue starts the real venue on the simulated network.
func (r *simRun) openVenue() error {
	k := &r.plan.Work
	cfg := venue.Config{Listener: r.w.Net.Listener(), Seed: r.plan.Seed, Symbols: k.Symbols, UserEvents: venue.Race(k.Race), QueryLag: k.Lag,
		TimeOffset: k.Offset, Latency: venue.Latency{Forward: k.Forward, Engine: k.Engine, Answer: k.Answer},
		BookHistory: 20_000, Executed: r.eye.executed,
		Market: func(_ uint64, symbols []exchange.Symbol) (exchange.Market, error) {
			params := map[string]exchange.AgentParams{}
			for i := range symbols {
				params[symbols[i].Name] = quietMarket(k.Pace)
			}
			return exchange.Agents(exchange.AgentOptions{Params: params, HistoryMinutes: -1}), nil
		}}
	a, err := venue.DefaultAccount(r.plan.Seed)
	if err != nil {
		return err
	}
	a.PayBNB = k.BNB
	a.MakerRate, a.TakerRate = int64(k.Fee)*1e4, int64(k.Fee)*1e4
	if k.Weight > 0 {
		cfg.Weight = venue.RateLimit{Interval: "MINUTE", Num: 1, Limit: k.Weight}
	}
	if k.Orders > 0 {
		cfg.Orders = []venue.RateLimit{{Interval: "SECOND", Num: 10, Limit: k.Orders}, {Interval: "DAY", Num: 1, Limit: 160000}}
	}
	other, err := venue.NewAccount(r.plan.Seed, taker)
	if err != nil {
		return err
	}
	cfg.Accounts = []venue.Account{a, other}
	if r.srv, err = venue.Start(context.Background(), cfg); err != nil {
		return err
	}
	key, _ := r.srv.Key("", venue.HMAC)
	r.apiKey = key.APIKey
	r.key = filepath.Join(r.root, "key")
	return os.WriteFile(r.key, fmt.Appendf(nil, "api_key = %q\nsecret = %q\n", key.APIKey, key.Secret), 0o600)
}

// quietMarket is a small market with a shallow book: what matters happens at its touch.
func quietMarket(pace float64) exchange.AgentParams {
	p := exchange.DefaultAgentParams("a quiet symbol")
	p.Reach, p.Spacing, p.Flat = 300, 6, 100
	p.TouchRate *= pace
	p.TakerRate *= pace
	p.JumpRate *= pace
	return p
}

// config is the engine's configuration.
func (r *simRun) config(dir string) *Config {
	cfg, err := worldConfig(r.plan, dir, r.key)
	if err != nil {
		panic(fmt.Sprintf("BUG: the plan's configuration: %v", err))
	}
	cfg.hash = [32]byte{} // it is in the journal, and the folder's name is in it
	return cfg
}

// step is the loop's thread.
func (r *simRun) step() {
	l := r.life
	if l == nil || l.stage.Load() != lifeRunning && l.stage.Load() != lifeEnding {
		return
	}
	now := r.w.Now()
	if due := r.stepped + r.gap; now < r.starved && now < due {
		if !r.asleep {
			r.asleep = true
			r.w.At(due, r.w.Want)
		}
		return
	}
	r.stepped, r.asleep = now, false
	r.stepping = true
	did := l.step()
	r.stepping = false
	if did && r.life == l { // it may have died in the step
		for _, c := range r.w.Checkers() {
			c.Stepped(l)
		}
		r.look()
	}
}

// park steps an idle loop now and then, for its timers.
func (r *simRun) park() {
	rng := r.w.Rand("park")
	var again func()
	again = func() {
		if next := r.stepped + r.plan.Work.Park/4; next > r.w.Now() {
			r.w.At(next+time.Duration(rng.Int64N(int64(r.plan.Work.Park/4))), again)
			return
		}
		r.step()
		r.w.After(time.Duration(rng.Int64N(int64(r.plan.Work.Park)))+time.Microsecond, again)
	}
	r.w.After(time.Millisecond, again)
}

// birth begins the next life on a journal's folder.
func (r *simRun) birth(dir string) {
	l := &simLife{r: r, n: r.lives, dir: dir}
	r.lives++
	l.host = r.w.Net.Host(fmt.Sprintf("life%d", l.n), r.w.Want)
	r.life = l
	r.w.Note("life %d begins", l.n)
	for _, c := range r.w.Checkers() {
		c.Life(l.n, true)
	}
	l.start()
	rng := r.w.Rand(fmt.Sprint("birth", l.n))
	for range 6 { // a start is over soon
		r.w.After(time.Duration(rng.Int64N(int64(20*r.plan.Work.Base))), r.look)
	}
}

// play is the run.
func (r *simRun) play() {
	if err := r.openVenue(); err != nil {
		r.broken(err)
		return
	}
	defer r.finish()
	r.judges()
	r.usual()
	r.faults()
	r.park()
	r.birth(filepath.Join(r.root, "life"))
	r.w.Run(r.plan.Time)
	r.heal()
	r.rest()
}

// finish ends what is still there, so that the bubble can end.
func (r *simRun) finish() {
	if l := r.life; l != nil {
		if s := l.stage.Load(); s == lifeRunning || s == lifeStarting || s == lifeEnding {
			l.kill(false)
		}
		r.life = nil
	}
	r.result.Seed, r.result.Simulated, r.result.Steps, r.result.Lives = r.plan.Seed, r.w.Now(), r.w.Steps, r.lives
	r.result.Hash, r.result.Table = r.w.Hash(), r.table
	r.result.Trace = r.w.Trace.Last(400)
	done := make(chan struct{})
	go func() {
		r.work.Wait()
		close(done)
		r.w.Poke()
	}()
	r.w.Run(r.w.Now() + time.Minute) // cold calls of the dead run into their ends
	<-done
	_ = r.srv.Close()
}
