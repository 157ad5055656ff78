package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/feed"
	"riposte/feed/binance"
	"riposte/tools/tape"
)

type replayCmd struct {
	Market string   `enum:"auto,spot,usdm,coinm" default:"auto" help:"Whose update-id rules the tapes follow: spot, usdm, coinm, or auto by their content."`
	JSON   bool     `name:"json" help:"Print one JSON object."`
	Speed  string   `enum:"max,1x,10x" default:"max" help:"max, or paced by the recorded receive times."`
	Cut    int64    `default:"-1" help:"Send the frames through a WebSocket in fragments, cut at random bytes by this seed."`
	Files  []string `arg:"" optional:"" help:"Recordings, or folders of them; several are one stream in the order given."`
	proofFlags
	profileFlags
}

// Run replays the tapes and prints what came out.
func (c replayCmd) Run(o *output) error {
	if c.Journal != "" {
		return c.prove(o)
	}
	if len(c.Files) == 0 {
		return usageError{errors.New("want recordings to replay, or --journal DIR to prove a run's decisions again")}
	}
	files, err := tape.Expand(c.Files)
	if err != nil {
		return usageError{err}
	}
	r, err := newReplay(c.Market, files)
	if err != nil {
		return usageError{err}
	}
	defer r.close()
	if c.Speed != "max" {
		done, release := interrupts()
		defer release()
		r.pace = &pacer{factor: map[string]int64{"1x": 1, "10x": 10}[c.Speed], interrupted: done}
	}
	if c.Cut >= 0 {
		if r.wire, err = newCutWire(uint64(c.Cut)); err != nil {
			return err
		}
	}
	stopProfile, err := c.start(o.stderr)
	if err != nil {
		return usageError{err}
	}
	defer stopProfile()
	if err := r.play(files); err != nil {
		return usageError{err}
	}
	stopProfile()
	for _, text := range r.cuts {
		fmt.Fprintln(o.stderr, "riposte: warning:", text)
	}
	res := r.result()
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		return e.Encode(res)
	}
	return res.print(o.stdout)
}

// replay takes frames the way a live session does: decode into the instrument's
// queue, and the shard does the rest. No clock moves but the tape's.
type replay struct {
	market  core.Market
	table   *core.Instruments
	decoder *binance.Decoder
	queues  []*ring.Queue
	shard   *engine.Shard
	images  *ring.Ring[*book.Image]
	want    *ring.Ring[book.Want]
	clock   *core.ManualClock
	out     *replayResult
	hashes  []*bookHash
	pace    *pacer
	wire    *cutWire
	cuts    []string     // tapes that were cut off
	lines   *replayLines // nil: one connection
}

func newReplay(market string, files []string) (*replay, error) {
	s, err := scanTapes(files)
	if err != nil {
		return nil, err
	}
	r := &replay{clock: new(core.ManualClock), out: newReplayResult()}
	if r.market, err = s.marketOf(market); err != nil {
		return nil, err
	}
	if r.table, err = s.instruments(r.market); err != nil {
		return nil, err
	}
	syms, err := binance.NewSymbols(r.table)
	if err != nil {
		return nil, err
	}
	r.cuts = s.cuts
	r.decoder = binance.NewDecoder(syms, s.unit, binance.Raw{Instrument: core.NoInstrument})
	n := len(r.table.List)
	r.hashes = make([]*bookHash, n)
	for i := range r.hashes {
		r.hashes[i] = newBookHash()
		r.queues = append(r.queues, ring.NewQueue(1<<14, 1<<17, 1<<14))
	}
	gate, err := risk.NewGate(r.table, nil, risk.AccountLimits{OpenMax: 1, RateMax: 1, RateSpan: time.Second, RejectMax: 1})
	if err != nil {
		return nil, err
	}
	r.images = ring.New[*book.Image](16)
	r.want = ring.New[book.Want](1 << 10)
	r.shard, err = engine.NewShard(engine.Config{
		Instruments: r.table, Clock: r.clock, Gate: gate, Queues: r.queues, Strategies: make([][]engine.Seat, n),
		Reports: ring.New[core.Report](2), Images: r.images, Commands: ring.New[engine.Command](2),
		Out: ring.New[risk.Approved](2), Want: r.want, Observer: r,
		TimerEvery: time.Hour, StatsEvery: time.Hour,
	})
	if err == nil && s.ours && len(s.labels) > 1 {
		r.lines, err = newReplayLines(s, n, r.clock)
	}
	return r, err
}

// DepthApplied hashes the top after every applied event; see bookHash.
func (r *replay) DepthApplied(id core.InstrumentID, s *book.Sync, ev *core.Event) {
	r.hashes[id].applied(s, ev)
}

func (r *replay) play(files []string) error {
	from := time.Now()
	err := tape.Each(func(l *tape.Line) error {
		if r.pace != nil {
			if err := r.pace.wait(l.RecvNs); err != nil {
				return err
			}
		}
		r.clock.WallNow = core.WallNs(l.RecvNs)
		r.tick(l.RecvNs)
		if l.Note != "" {
			return r.out.Recording.take(l)
		}
		if !l.Frame() {
			return r.rest(l)
		}
		r.out.Frames++
		r.out.Bytes += uint64(len(l.Payload))
		if err := r.onLine(l.Label); err != nil {
			return err
		}
		if r.wire != nil {
			return r.wire.send(l.Payload, r.frame)
		}
		return r.frame(l.Payload)
	}, files...)
	if err == nil && r.lines != nil {
		r.lines.joined.End()
		r.forward()
	}
	r.out.Seconds = time.Since(from).Seconds()
	return err
}

func (r *replay) frame(payload []byte) error {
	if r.lines != nil {
		return r.lineFrame(payload)
	}
	route := r.decoder.Route(payload)
	id := route.Instrument
	var ev *core.Event
	var lv []core.Level
	if id == core.NoInstrument {
		ev = new(core.Event) // nothing of ours, or a shape that does not say so early
		lv = make([]core.Level, 0, 1<<14)
	} else {
		if ev, lv = r.queues[id].Claim(); ev == nil {
			return fmt.Errorf("BUG: the queue of %s is full although it is drained after every frame", r.table.Get(id).Symbol)
		}
	}
	n, res := r.decoder.DecodeRouted(payload, route, ev, lv)
	r.out.note(r.table, payload, ev, lv[:n], res)
	if res != feed.Decoded {
		return nil
	}
	if id == core.NoInstrument {
		q := r.queues[ev.Instrument]
		into, mem := q.Claim()
		*into = *ev
		copy(mem[:n], lv[:n])
		q.Publish(n)
		r.step()
		return nil
	}
	ev.Recv = r.clock.MonoNow
	r.queues[id].Publish(n)
	r.step()
	return nil
}

// rest takes a REST line: a depth snapshot goes to its book, anything else is not
// for replay.
func (r *replay) rest(l *tape.Line) error {
	in, ok := r.table.Lookup(l.Symbol())
	if !ok || !strings.Contains(l.Rest, "/depth?") {
		return nil
	}
	im, err := binance.ParseSnapshot(l.Payload, in.ID, 0, core.Milliseconds)
	if err != nil {
		return fmt.Errorf("cannot use the answer of %s: %w", l.Rest, err)
	}
	r.hashes[in.ID].snapshot(im)
	*r.images.Claim() = im
	r.images.Publish()
	r.step()
	return nil
}

func (r *replay) step() {
	for r.shard.Step() > 0 {
	}
	r.want.Release(len(r.want.Pending())) // nobody to ask: the tape has what it has
}

func (r *replay) close() {
	if r.wire != nil {
		r.wire.close()
	}
}

func (r *replay) result() *replayResult {
	if r.out.Recording.TimeUnit == "" {
		r.out.Recording = nil // not one of ours
	}
	r.out.Market = [...]string{"spot", "usdm", "coinm"}[r.market]
	for i := range r.table.List {
		in := &r.table.List[i]
		id := in.ID
		depth := r.out.Messages[in.Symbol]["depthUpdate"]
		if depth == nil {
			continue // there is no book to tell of
		}
		r.out.Books[in.Symbol] = r.hashes[id].result(r.shard.Sync(id), depth.Frames)
	}
	return r.out
}

func (res *replayResult) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d frames, %d bytes in %.2f s: %.2f million frames/s, %.0f MB/s (reading the tape included)\n",
		res.Frames, res.Bytes, res.Seconds, float64(res.Frames)/res.Seconds/1e6, float64(res.Bytes)/res.Seconds/1e6)
	fmt.Fprintln(t, "symbol\tstate\tapplied\tdropped\tgaps\tbest bid\tbest ask\tbids\tasks\tbook sha256\t")
	for _, sym := range slices.Sorted(maps.Keys(res.Books)) {
		b := res.Books[sym]
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%d\t%d\t%.12s\t\n", sym, b.State, b.Applied, b.Dropped, b.Gaps,
			b.BestBid[0], b.BestAsk[0], b.BidLevels, b.AskLevels, b.FinalSHA256)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return res.Recording.print(w)
}

var errInterrupted = errors.New("interrupted")

// interrupts gives a channel that the first SIGINT or SIGTERM closes; release gives
// the signals back.
func interrupts() (done <-chan struct{}, release func()) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return ctx.Done(), stop
}

// pacer waits so that lines come at the recorded pace, times a factor.
type pacer struct {
	factor      int64
	interrupted <-chan struct{}
	first       int64
	start       time.Time
}

func (p *pacer) wait(recvNs int64) error {
	if recvNs == 0 {
		return nil
	}
	if p.first == 0 {
		p.first, p.start = recvNs, time.Now()
	}
	due := time.Duration((recvNs - p.first) / p.factor)
	t := time.NewTimer(due - time.Since(p.start))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.interrupted:
		return errInterrupted
	}
}
