package app

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	death "riposte/core/fault"
	"riposte/core/risk"
	"riposte/exec"
)

// start hands everything to its threads.
func (d *desk) start() error {
	if err := d.begin(); err != nil {
		return err
	}
	d.threads.start()
	death.At(death.ThreadsStarted)
	return nil
}

// begin lays out the threads and starts all that works beside them.
func (d *desk) begin() error {
	d.dealer = newDealer(d)
	d.started = time.Now()
	hot, cold := []stepper{d.shard, d.gateway}, []stepper{d.user, d.snapshots, d.backfill, d.dealer}
	if d.witness != nil {
		hot = slices.Insert(hot, 1, d.witness)
	}
	spin := d.cfg.Loop.Wait == "spin"
	cpu := func(i int) int {
		if i < len(d.cfg.Loop.CPUs) {
			return d.cfg.Loop.CPUs[i]
		}
		return -1
	}
	if d.cfg.Loop.Threads == "inline" {
		d.threads.list = []*thread{{name: "inline", hot: append([]stepper{d.market}, hot...), cold: cold, waiter: d.engineWait, spin: spin, cpu: cpu(0)}}
	} else {
		d.threads.list = []*thread{
			{name: "feed", hot: []stepper{d.market}, waiter: d.feedWait, spin: spin, cpu: cpu(0), after: d.engineWait.Wake},
			{name: "engine", hot: hot, cold: cold, waiter: d.engineWait, spin: spin, cpu: cpu(1)},
		}
	}
	if !d.ports.sealed {
		door, err := openDoor(d.control)
		if err != nil {
			return err
		}
		d.control.door = door
		if d.admin != nil && door != nil {
			d.admin.door.Store(&door)
		}
	}
	d.followJournal()
	d.stages.start()
	d.books.start()
	d.keeper.start()
	d.control.start()
	return d.intake.start()
}

// shutdown ends the run in order: no new orders, own orders cancelled, their ends
// confirmed, our account compared with the venue's. What it returns says whether
// all of that succeeded.
func (d *desk) shutdown() *report {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	d.keeper.close()
	d.gateway.Drain()
	d.engineWait.Wake()
	drained := until(ctx, d.dealer.drained.Load)
	if drained {
		d.rest.UseReserve()
	}
	// What the venue tells of an account can lag behind the fills by seconds, so a
	// difference is believed only when it stays as long as there is time. Looks come often
	// enough for the last of them to begin when even slow reads have caught up.
	patience, done := context.WithTimeout(ctx, shutdownTime*3/4)
	defer done()
	audited := drained && d.auditOnce(patience)
	for pause := time.Second; drained && !audited && pausedFor(patience, pause); pause = min(2*pause, 2*time.Second) {
		audited = d.auditOnce(patience)
	}
	d.threads.halt()
	death.At(death.Drained)
	r := d.report()
	r.Final = true
	var err error
	if r.OpenAtVenue, err = d.openAtVenue(ctx); err != nil {
		r.Problems = append(r.Problems, fmt.Sprintf("open orders could not be asked for: %v", err))
	}
	if !drained {
		r.Problems = append(r.Problems, "some own orders have not been seen to end")
	}
	if !audited {
		r.Problems = append(r.Problems, "the account has not been seen to agree with the venue's")
	}
	for _, diff := range d.gateway.Differences() {
		if diff.Kind.Open() {
			r.Mismatches++
			r.Differences = append(r.Differences, d.describe(&diff))
		}
	}
	r.Clean = drained && audited && err == nil && r.Mismatches == 0 && r.OpenAtVenue == 0 && r.Unknown == 0
	d.clean = r.Clean
	return r
}

// auditOnce asks for one comparison with the venue and reports whether it found
// nothing that needs settling.
func (d *desk) auditOnce(ctx context.Context) bool {
	before := d.dealer.view().audits
	d.dealer.auditAsked.Store(true)
	d.engineWait.Wake()
	ok := until(ctx, func() bool { return d.dealer.view().audits > before })
	return ok && d.dealer.view().unsettled == 0
}

func (d *desk) describe(diff *exec.Difference) string {
	if diff.Kind >= exec.DiffExternal {
		b := &diff.Balance
		return fmt.Sprintf("%s: ours %v, venue %v", d.table.AssetName(b.Asset), b.Ours, b.Venue)
	}
	return fmt.Sprintf("%s: order %d %s", diff.Kind, diff.Order, diff.Evidence.Client)
}

// openAtVenue is how many own orders the venue says are open. Its list can lag behind
// its answers to our cancels, so one that is not empty is believed only when it stays. It
// weighs 80: asked for more often, it would use up what the last answer needs.
func (d *desk) openAtVenue(ctx context.Context) (int, error) {
	for {
		open, err := d.rest.OpenOrders(ctx)
		n := 0
		for i := range open {
			if _, _, owner := d.ids.Parse(open[i].Client.Bytes()); owner == exec.Ours {
				n++
			}
		}
		if n == 0 || !pausedFor(ctx, 2*time.Second) {
			return n, err
		}
	}
}

// report gathers the state. One goroutine, the printing one.
func (d *desk) report() *report {
	s, g := d.shard.Stats(), d.dealer.view()
	now := time.Now()
	r := &report{
		at: now, Time: now.UTC().Format(time.RFC3339Nano), Seconds: now.Sub(d.started).Seconds(),
		Environment: d.sites.name, Strategy: strings.Join(d.strategies, ", "), State: (s.Halted | g.halted).String(),
		Events: s.Events, Snapshots: s.Snapshots, Demotions: s.Demotions,
		Orders: g.stats.Sent, Acks: g.table.Acked, Fills: g.table.Filled, Cancels: g.stats.Cancels, Rejects: g.table.Rejected,
		Unsent: s.Unsent, Doubts: g.table.Doubts, Unknown: g.unknown, Open: g.live, Refusals: map[string]uint64{},
		Position: map[string]string{}, PnL: map[string]string{},
		Audits: g.audits, Mismatches: g.mismatches, Warnings: d.warnings, Memory: d.memory(),
	}
	d.refused.explain(d)
	for i, n := range s.Refused {
		if n > 0 {
			r.Refusals[risk.Refusal(i).String()] = n
		}
		if text := d.refused.last[i]; text != "" {
			r.Explained = append(r.Explained, text)
		}
	}
	for i, n := range g.stats.Refused {
		if n > 0 {
			r.Refusals["gateway: "+exec.Refusal(i).String()] = n
		}
	}
	d.stages.figures(r)
	r.Routes = routeLines(g)
	r.SamplesLost = s.StagesLost + g.stats.StampsDropped
	if d.auditor != nil {
		r.BooksCompared, r.BookDifferences = d.auditor.compared.Load(), d.auditor.differ.Load()
		r.BooksUnseen = d.auditor.skipped.Load() + d.auditor.unknown.Load()
		if text := d.auditor.first.Load(); text != nil {
			r.Problems = append(r.Problems, "book differs from the venue's: "+*text)
		}
	}
	d.reportFeed(r)
	d.books.report(r, s)
	pnl := map[core.AssetID]*big.Int{}
	for i := range d.table.List {
		d.reportMarket(r, &d.table.List[i], s, pnl)
	}
	for a, v := range pnl {
		r.PnL[d.table.AssetName(a)] = plainSigned(v)
	}
	r.Params = d.control.tunedWords()
	d.reportTrades(r)
	d.reportSignals(r)
	d.reportOutside(r)
	d.reportProblems(r, s, g)
	d.reportRecord(r)
	d.keeper.report(r)
	d.reportStore(r, g)
	if d.pulse.heart != nil {
		r.Guarded = g.guarded
	}
	if d.admin != nil {
		r.Admin = d.admin.url
	}
	d.latest.Store(r)
	return r
}

func plainSigned(v *big.Int) string {
	if v.Sign() < 0 {
		return "-" + plain(new(big.Int).Neg(v), 8)
	}
	return plain(v, 8)
}

func (d *desk) reportMarket(r *report, in *core.Instrument, s *engine.Stats, pnl map[core.AssetID]*big.Int) {
	m := d.shard.MarketStats(in.ID)
	if m == nil {
		return
	}
	r.Books++
	r.Gaps += m.Sync.Counters.Gaps
	if m.Sync.State == book.Live {
		r.BooksLive++
	}
	line := marketLine{symbol: in.Symbol, state: m.Sync.State.String(), bid: m.Top.Bid.String(), ask: m.Top.Ask.String(),
		spread: (m.Top.Ask - m.Top.Bid).String(), age: "-", position: m.Exposure.Position.String(),
		open: m.Exposure.Open, fills: m.Fills, pnl: m.PnL.String() + " " + d.table.AssetName(in.Quote)}
	if m.Sync.LastProof > 0 {
		line.age = short(int64(max(s.Now-m.Sync.LastProof, 0)))
	}
	r.markets = append(r.markets, line)
	d.reportSeats(r, in, m)
	if m.Fills == 0 && m.Exposure.Position == 0 {
		return
	}
	r.Position[in.Symbol] = m.Exposure.Position.String()
	sum := pnl[in.Quote]
	if sum == nil {
		sum = new(big.Int)
		pnl[in.Quote] = sum
	}
	sum.Add(sum, big.NewInt(int64(m.PnL)))
}

func (d *desk) reportProblems(r *report, s *engine.Stats, g *gatewayView) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	r.Problems = append(r.Problems, d.control.problems()...)
	halted := s.Halted | g.halted
	add(halted&^risk.HaltShutdown != 0, "no new orders: %s", halted)
	add(g.journal != "", "%s", g.journal)
	add(r.BooksLive < r.Books, "%d of %d books are not live", r.Books-r.BooksLive, r.Books)
	add(g.unknown > 0, "%d orders have an unknown outcome and count in full", g.unknown)
	add(g.wires[0]+g.sessions[0] == 0, "no order connection is up")
	add(g.stats.ClockAlarms > 0, "the venue refused %d timestamps although its clock had just been measured", g.stats.ClockAlarms)
	add(g.weight.SilentFor > 0, "the venue asked for silence: %v left", g.weight.SilentFor.Round(time.Second))
	add(g.table.Contradictions > 0, "%d times the venue contradicted itself about an order", g.table.Contradictions)
	add(g.stats.Twins+g.table.OtherRun > 0, "another run trades under our prefix: %d orders or fills of it", g.stats.Twins+g.table.OtherRun)
	add(g.table.Adopted > 0, "%d orders lived although they had been taken for ended, or were a former run's", g.table.Adopted)
	add(g.stats.Externals > 0, "%d balance changes were told by nobody and booked as external", g.stats.Externals)
	add(g.table.Foreign > 0, "%d reports were of orders that are not ours", g.table.Foreign)
}

// close ends what shutdown leaves: connections, files, the embedded venue. It may
// be called on a desk that was never completed.
func (d *desk) close() error {
	if d.keeper != nil {
		d.keeper.close()
	}
	d.threads.halt()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	var errs []error
	d.stages.halt()
	if d.books != nil {
		d.books.close()
	}
	if d.stages.flight != nil {
		d.stages.flight.close()
	}
	if d.admin != nil {
		errs = append(errs, d.admin.close())
	}
	if d.control != nil {
		if d.control.door != nil {
			errs = append(errs, d.control.door.close())
		}
		d.control.close()
	}
	errs = append(errs, d.intake.close())
	errs = append(errs, d.closeFeed(ctx))
	errs = append(errs, d.closeRecorder())
	if d.gateway != nil {
		errs = append(errs, d.gateway.Close(ctx))
		d.codec.Wipe()
	}
	if d.auditor != nil {
		d.auditor.close()
	}
	errs = append(errs, d.pulse.close(d.clean))
	if d.journal != nil {
		errs = append(errs, d.journal.Close(d.clean, ""))
	} else if d.folder != nil {
		d.folder.Close()
	}
	if d.store != nil {
		d.store.Close() // it wants the journal's last record too
	}
	if d.engineWait != nil {
		d.engineWait.Close()
	}
	if d.feedWait != nil {
		d.feedWait.Close()
	}
	if d.sim != nil {
		errs = append(errs, d.sim.close())
	}
	errs = append(errs, d.contact.close())
	return errors.Join(errs...)
}
