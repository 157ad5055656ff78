package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	feedbinance "riposte/feed/binance"
)

// A key changes while trading goes on. The new one is loaded from where the old one was,
// its rights are judged, an order is tested with it, and everything that works with the
// key makes itself ready beside what is in force. Only then all of them switch, orders
// first: between two steps of the loop, so that nothing which the old key has signed is
// sent afterwards. What is in flight keeps the old key, and is answered. Then the old one
// is wiped. If anything fails on the way the old key stays, with one line that says why.

// keyHolder is a part of the desk that works with the key.
type keyHolder interface {
	// prepare makes ready for the key without any effect on what is in force. After an
	// error nothing is left of it.
	prepare(ctx context.Context, key *execbinance.Key) error
	// commit switches, and wipes what worked with the old key. It fails only if the loop
	// no longer runs.
	commit(ctx context.Context) error
	// abort forgets what was prepared.
	abort()
}

const changeTimeout = 30 * time.Second

// requestChange asks the keeper for a change of key and waits for its end. Any goroutine.
func (k *keeper) requestChange(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case k.ask <- done:
	case <-ctx.Done():
		return ctx.Err()
	case <-k.ctx.Done():
		return errors.New("cannot change the key: the process is ending")
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-k.ctx.Done():
		return errors.New("cannot change the key: the process is ending")
	}
}

// changeAndTell is a change and one line about it.
func (k *keeper) changeAndTell() error {
	err := k.change()
	text := fmt.Sprintf("key changed: %s key %s from %s", k.d.key.Kind(), k.d.key.Fingerprint(), k.d.where)
	if err != nil {
		text = err.Error()
	}
	k.changed.Store(&text)
	select {
	case k.told <- text:
	default:
	}
	return err
}

// change loads a key and trades with it. The keeper's goroutine.
func (k *keeper) change() (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ctx, cancel := context.WithTimeout(k.ctx, changeTimeout)
	defer cancel()
	d := k.d
	next := d.contact // what there is to know of the venue stays
	if err := next.loadKey(d.cfg, d.sim != nil); err != nil {
		return fmt.Errorf("cannot change the key, the old one stays: %w", err)
	}
	warning, err := k.prove(ctx, &next)
	if err == nil {
		err = k.hand(ctx, next.key)
	}
	if err != nil {
		next.key.Wipe()
		return fmt.Errorf("cannot change the key, the old one stays: %w", err)
	}
	old := d.key
	d.key, d.where = next.key, next.where
	old.Wipe()
	k.worked = true
	k.say("", warning)
	k.changes.Add(1)
	d.gateway.Lift(risk.HaltKey | risk.HaltRights)
	return nil
}

// hand has all holders switch, or none.
func (k *keeper) hand(ctx context.Context, key *execbinance.Key) error {
	for i, h := range k.holders {
		if err := h.prepare(ctx, key); err != nil {
			for _, before := range k.holders[:i] {
				before.abort()
			}
			return err
		}
	}
	for i, h := range k.holders {
		if err := h.commit(ctx); err != nil {
			for _, after := range k.holders[i:] {
				after.abort()
			}
			return err
		}
	}
	return nil
}

// prove judges what the new key may do and tests an order with it.
func (k *keeper) prove(ctx context.Context, next *contact) (warning string, err error) {
	rest, err := next.newREST(next.table)
	if err != nil {
		return "", err
	}
	defer func() {
		rest.Close()
		rest.SetKey(nil)
	}()
	rights, all, err := rightsOf(ctx, rest, k.d.cfg.Keys.Products, next.vclock.Now())
	switch {
	case refusalCode(err) != 0:
		return "", fmt.Errorf("venue refuses it (%d): %s", refusalCode(err), next.key.Diagnose(refusalCode(err), next.facts(false, nil)))
	case err != nil && k.strict:
		return "", fmt.Errorf("what it may do cannot be asked: %w", err)
	case err != nil:
		warning = fmt.Sprintf("what the key may do cannot be asked here: %v", err)
	case execbinance.Worst(all) == execbinance.Refuse && k.strict:
		return "", errors.New(tell(all, execbinance.Refuse))
	default:
		warning = tell(all, execbinance.Warn)
	}
	order, err := k.testOrder(ctx)
	if err != nil {
		return "", err
	}
	if err := rest.OrderTest(ctx, &order); err != nil {
		if code := refusalCode(err); code != 0 {
			return "", fmt.Errorf("venue refuses a test order with it (%d): %s", code, next.key.Diagnose(code, next.facts(true, rights)))
		}
		return "", fmt.Errorf("a test order with it fails: %w", err)
	}
	return warning, nil
}

// errShut is a market in which no order can be tested now; another may do.
var errShut = errors.New("no order can be tested")

// testOrder is a small order that the venue would take now: at the best bid of an
// instrument that is traded, or of any, whose market is open.
func (k *keeper) testOrder(ctx context.Context) (in core.Intent, err error) {
	traded := k.d.cfg.traded()
	for i, symbol := range slices.Concat(traded, k.d.cfg.Market.Symbols) {
		if i >= len(traded) && slices.Contains(traded, symbol) {
			continue
		}
		if in, err = k.smallOrder(ctx, symbol); !errors.Is(err, errShut) {
			break
		}
	}
	return in, err
}

// smallOrder is one of a symbol, by rules that are read anew: those of the start may have
// changed since, and an order that offends today's would speak against a good key.
func (k *keeper) smallOrder(ctx context.Context, symbol string) (in core.Intent, err error) {
	d := k.d
	was, ok := d.table.Lookup(symbol)
	if !ok {
		return in, fmt.Errorf("%w: %s is not known", errShut, symbol)
	}
	body, err := d.rest.ExchangeInfo(ctx, symbol)
	if err != nil {
		return in, err
	}
	info, err := feedbinance.ParseExchangeInfo(body, core.Spot, symbol)
	if err != nil {
		return in, err
	}
	at := &info.Instruments.List[0]
	if at.Status != core.StatusTrading {
		return in, fmt.Errorf("%w: %s is %s", errShut, symbol, at.Status)
	}
	if body, err = d.rest.Depth(ctx, symbol, 5); err != nil {
		return in, err
	}
	img, err := feedbinance.ParseSnapshot(body, was.ID, 5, core.Milliseconds)
	if err != nil {
		return in, err
	}
	if len(img.Bids) == 0 {
		return in, fmt.Errorf("%w: nobody bids for %s", errShut, symbol)
	}
	f := &at.Filters
	in = core.Intent{Kind: core.Place, Type: core.Limit, Instrument: was.ID, Side: core.Buy, Price: img.Bids[0].Price, Qty: max(f.QtyMin, f.Lot, 1)}
	if f.NotionalMin > 0 {
		need := core.NotionalOfAmount(f.NotionalMin + f.NotionalMin/10)
		in.Qty = max(in.Qty, core.Qty(need.Div(uint64(in.Price)))+1)
	}
	if lot := max(f.Lot, 1); in.Qty%lot != 0 {
		in.Qty += lot - in.Qty%lot
	}
	return in, nil
}

// codecHolder changes what lays out and signs orders.
type codecHolder struct {
	d      *desk
	next   *execbinance.Codec
	frames *execbinance.Frames // nil without a second route
}

func (h *codecHolder) prepare(_ context.Context, key *execbinance.Key) (err error) {
	if h.next, err = h.d.newCodec(key); err == nil && h.d.frames != nil {
		if h.frames, err = h.d.newFrames(key); err != nil {
			h.next.Wipe()
		}
	}
	return err
}

func (h *codecHolder) commit(ctx context.Context) error {
	var frames exec.FrameCodec
	if h.frames != nil {
		frames = h.frames
	}
	if _, err := h.d.gateway.Switch(ctx, h.next, frames); err != nil {
		return err
	}
	h.d.codec.Wipe()
	h.d.codec = h.next
	if h.frames != nil {
		h.d.frames.Wipe()
		h.d.frames = h.frames
	}
	return nil
}

func (h *codecHolder) abort() {
	h.next.Wipe()
	if h.frames != nil {
		h.frames.Wipe()
	}
}

// restHolder changes the key of the cold calls.
type restHolder struct {
	d    *desk
	next *execbinance.Key
}

func (h *restHolder) prepare(_ context.Context, key *execbinance.Key) error {
	h.next = key
	return nil
}

func (h *restHolder) commit(context.Context) error {
	h.d.rest.SetKey(h.next)
	return nil
}

func (h *restHolder) abort() {}

// keyHolders are all parts of the desk that work with the key, in the order in which
// they change: the loop's first, whose commit can fail.
func (d *desk) keyHolders() []keyHolder {
	return []keyHolder{&codecHolder{d: d}, &userHolder{d: d}, &restHolder{d: d}}
}
