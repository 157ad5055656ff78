package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"riposte/core"
)

// Venue is all that a guard can do at the venue. It may be called from several
// goroutines at a time.
type Venue interface {
	// OpenOrders are the account's working orders on the guarded instruments.
	OpenOrders(ctx context.Context) ([]core.Execution, error)
	// Cancel ends one order.
	Cancel(ctx context.Context, id core.InstrumentID, client core.ClientID, venueID int64) (core.Execution, error)
}

// Config of a Guard. Zero durations get defaults.
type Config struct {
	Heartbeat *Heartbeat
	Venue     Venue
	Own       func(client core.ClientID) bool // whether the engine made that id, in this run or any other
	Now       func() int64                    // the clock in common with the engine
	Say       func(format string, args ...any)

	// Arm starts the venue's own countdown, where it has one (USD-M futures), on all that
	// is guarded; 0 stops it. It is started anew every quarter of Countdown as long as
	// the engine is well, so that it ends orders also when this host is gone. May be nil.
	Arm       func(ctx context.Context, d time.Duration) error
	Countdown time.Duration // default 60 s

	StaleAfter time.Duration // a heartbeat older than this is a dead engine; default 3 s
	LostAfter  time.Duration // so long without market, account or order link and still orders; default 10 s
	LookEvery  time.Duration // default 100 ms
	// AskEvery is how often the venue is asked while the engine is well, which proves
	// key and connection; default 30 s.
	AskEvery time.Duration
	// Linger is how long after it fired the guard goes on asking although nothing is
	// open: a request of the dead engine may still be on its way. Default 75 s:
	// recvWindow at its most, and what the venue's read side may lag behind.
	Linger      time.Duration
	AgainEvery  time.Duration // between two passes of cancelling; default 500 ms
	CallTimeout time.Duration // default 3 s
}

// Guard watches one engine. Run is its only goroutine, but for the cancels of a pass.
type Guard struct {
	cfg   Config
	state State
	epoch int64 // the run that is dead, or being watched
	since int64 // of the state
	empty int64 // since when nothing of ours was open, 0: something was
	asked int64
	armed int64 // when the countdown was last started, 0: it is not running

	Stats Stats
}

// State is what a guard is doing.
type State uint8

// The states.
const (
	Waiting   State = iota // no engine has begun
	Watching               // an engine runs, its heart beats
	Canceling              // it does not, and its orders are being ended
	Done                   // they have been, and the engine has not come back
)

var stateText = [...]string{"waiting for an engine", "watching", "cancelling", "engine dead, nothing of it open"}

func (s State) String() string { return stateText[s] }

// Stats count what a guard did.
type Stats struct {
	Fired, Canceled, Failed uint64
	LastError               string
}

// New checks the configuration.
func New(cfg Config) (*Guard, error) {
	if cfg.Heartbeat == nil || cfg.Venue == nil || cfg.Own == nil || cfg.Now == nil {
		return nil, errors.New("cannot make a guard: a part is missing in its config")
	}
	if cfg.Say == nil {
		cfg.Say = func(string, ...any) {}
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.StaleAfter, 3*time.Second)
	def(&cfg.LostAfter, 10*time.Second)
	def(&cfg.LookEvery, 100*time.Millisecond)
	def(&cfg.AskEvery, 30*time.Second)
	def(&cfg.Linger, 75*time.Second)
	def(&cfg.AgainEvery, 500*time.Millisecond)
	def(&cfg.CallTimeout, 3*time.Second)
	def(&cfg.Countdown, time.Minute)
	return &Guard{cfg: cfg}, nil
}

// State is what the guard is doing. Run's goroutine, or when it has ended.
func (g *Guard) State() State { return g.state }

// Check asks the venue once, to prove key and connection, and says how many of the
// engine's orders are open.
func (g *Guard) Check(ctx context.Context) (own int, err error) {
	list, err := g.open(ctx)
	return len(list), err
}

// CancelNow ends every order of the engine, whatever its heart does, until none is
// open or ctx ends.
func (g *Guard) CancelNow(ctx context.Context) error {
	for {
		left, err := g.pass(ctx)
		if err == nil && left == 0 {
			return nil
		}
		if !sleep(ctx, g.cfg.AgainEvery) {
			return errors.Join(fmt.Errorf("cannot end all orders: %w, %d were open when last asked", ctx.Err(), left), err)
		}
	}
}

// Run watches until ctx ends.
func (g *Guard) Run(ctx context.Context) {
	for sleep(ctx, g.Step(ctx)) {
		continue
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Step looks once, acts if it must, and says how long to wait before the next look.
func (g *Guard) Step(ctx context.Context) time.Duration {
	now := g.cfg.Now()
	h := g.cfg.Heartbeat
	defer func() { h.guard.Store(g.cfg.Now()) }()
	epoch := h.epoch.Load()
	switch g.state {
	case Waiting, Watching:
		if epoch == 0 {
			g.become(Waiting, epoch)
			g.disarm(ctx)
			break
		}
		if g.state == Waiting || epoch != g.epoch {
			g.become(Watching, epoch)
		}
		if why := g.dead(now); why != "" {
			g.cfg.Say("%s: cancelling its orders", why)
			h.fired.Store(now)
			g.Stats.Fired++
			g.empty = 0
			g.become(Canceling, epoch)
			return 0
		}
		g.arm(ctx, now)
		if now-g.asked >= int64(g.cfg.AskEvery) {
			g.asked = now
			if _, err := g.open(ctx); err != nil {
				g.cfg.Say("the venue cannot be asked: %v", err)
			}
		}
	case Canceling, Done:
		if epoch == 0 || epoch != g.epoch {
			// It ended in order after all, or another run has begun, which looks after
			// what the last one left.
			g.become(Waiting, epoch)
			break
		}
		return g.work(ctx, now)
	}
	return g.cfg.LookEvery
}

// arm starts the venue's countdown anew when a quarter of it has gone by.
func (g *Guard) arm(ctx context.Context, now int64) {
	if g.cfg.Arm == nil || g.armed != 0 && now-g.armed < int64(g.cfg.Countdown)/4 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.CallTimeout)
	defer cancel()
	if err := g.cfg.Arm(ctx, g.cfg.Countdown); err != nil {
		g.Stats.Failed++
		g.Stats.LastError = err.Error()
		g.cfg.Say("the venue's countdown cannot be started: %v", err)
		return // and tried again at the next look
	}
	if g.armed == 0 {
		g.cfg.Say("the venue's countdown of %v runs", g.cfg.Countdown)
	}
	g.armed = now
}

// disarm stops the countdown of an engine that ended in order.
func (g *Guard) disarm(ctx context.Context) {
	if g.armed == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.CallTimeout)
	defer cancel()
	if err := g.cfg.Arm(ctx, 0); err != nil {
		g.cfg.Say("the venue's countdown cannot be stopped, and will run out: %v", err)
	}
	g.armed = 0
}

// dead is why the engine counts as dead, empty if it does not.
func (g *Guard) dead(now int64) string {
	h := g.cfg.Heartbeat
	if old := now - h.beat.Load(); old > int64(g.cfg.StaleAfter) {
		return fmt.Sprintf("the engine's heart has not beaten for %v", round(old))
	}
	if lost := h.lost.Load(); lost != 0 && h.live.Load() > 0 && now-lost > int64(g.cfg.LostAfter) {
		return fmt.Sprintf("the engine is cut off since %v and has %d orders", round(now-lost), h.live.Load())
	}
	return ""
}

func round(ns int64) time.Duration { return time.Duration(ns).Round(time.Millisecond) }

// work ends what is open, and goes on looking until nothing can come any more and the
// engine is back.
func (g *Guard) work(ctx context.Context, now int64) time.Duration {
	h := g.cfg.Heartbeat
	alive := now-h.beat.Load() <= int64(g.cfg.StaleAfter) && h.lost.Load() == 0
	if g.state == Done && alive {
		// It was frozen and has come back. It finds out by itself that it was taken
		// for dead; from here on it is watched again.
		g.become(Watching, g.epoch)
		return g.cfg.LookEvery
	}
	if g.state == Done && now-g.empty > int64(g.cfg.Linger) {
		if now-g.asked < int64(g.cfg.AskEvery) {
			return g.cfg.LookEvery
		}
		g.asked = now
	}
	left, err := g.pass(ctx)
	switch {
	case err != nil:
		g.cfg.Say("%v", err)
		g.empty = 0
	case left > 0:
		g.empty = 0
	case g.empty == 0:
		g.empty = g.cfg.Now()
	}
	if g.state == Canceling && g.empty != 0 {
		g.cfg.Say("nothing of the engine is open any more, %v after it was found dead", round(g.empty-h.fired.Load()))
		g.become(Done, g.epoch)
	}
	if g.state == Done && left > 0 {
		g.become(Canceling, g.epoch)
	}
	return g.cfg.AgainEvery
}

func (g *Guard) become(s State, epoch int64) {
	if g.state != s || g.epoch != epoch {
		g.state, g.epoch, g.since = s, epoch, g.cfg.Now()
		g.cfg.Say("%s", s)
	}
}

// cancelsAtOnce is how many cancels of a pass are under way together.
const cancelsAtOnce = 8

// pass asks what is open and cancels it. left is how many were open before it.
func (g *Guard) pass(ctx context.Context) (left int, err error) {
	list, err := g.open(ctx)
	if err != nil {
		return -1, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := make(chan *core.Execution)
	for range min(cancelsAtOnce, len(list)) {
		wg.Go(func() {
			for e := range next {
				ctx, cancel := context.WithTimeout(ctx, g.cfg.CallTimeout)
				_, cerr := g.cfg.Venue.Cancel(ctx, e.Instrument, e.Client, e.VenueID)
				cancel()
				mu.Lock()
				if cerr == nil {
					g.Stats.Canceled++
				} else { // gone already, or the next pass tries again
					g.Stats.Failed++
					g.Stats.LastError = cerr.Error()
				}
				mu.Unlock()
			}
		})
	}
	for i := range list {
		next <- &list[i]
	}
	close(next)
	wg.Wait()
	return len(list), nil
}

// open is the engine's working orders.
func (g *Guard) open(ctx context.Context) ([]core.Execution, error) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.CallTimeout)
	defer cancel()
	list, err := g.cfg.Venue.OpenOrders(ctx)
	if err != nil {
		g.Stats.Failed++
		g.Stats.LastError = err.Error()
		return nil, fmt.Errorf("cannot ask for open orders: %w", err)
	}
	own := list[:0]
	for i := range list {
		if g.cfg.Own(list[i].Client) {
			own = append(own, list[i])
		}
	}
	return own, nil
}
