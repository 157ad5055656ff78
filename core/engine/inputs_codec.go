package engine

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/bar"
	"riposte/core/book"
	"riposte/core/risk"
	"riposte/core/trail"
)

// The input log's own encoding: fields in a fixed order, little endian. A log is read by
// the program that wrote it or by one of the same format, see LogFormat; a change of any
// layout is a new format.

// LogFormat is the version of the input log.
const LogFormat = 2

// Decision is what the shard decided: an intent that was handed on, or refused.
type Decision struct {
	Refusal risk.Refusal // None: approved
	Intent  core.Intent
	Input   uint64
	Stamps  risk.Stamps // of a refusal up to Decided
}

var le = binary.LittleEndian

func appendLevels(b []byte, lv []core.Level) []byte {
	b = le.AppendUint32(b, uint32(len(lv)))
	for i := range lv {
		b = le.AppendUint64(b, uint64(lv[i].Price))
		b = le.AppendUint64(b, uint64(lv[i].Qty))
	}
	return b
}

func appendEvent(b []byte, e *core.Event, lv []core.Level) []byte {
	b = append(b, byte(e.Kind), e.Flags, e.Line)
	b = le.AppendUint16(b, uint16(e.Instrument))
	b = le.AppendUint16(b, e.Bids)
	b = le.AppendUint16(b, e.Asks)
	b = le.AppendUint32(b, e.DecodeNs)
	b = le.AppendUint64(b, uint64(e.Recv))
	b = le.AppendUint64(b, e.ID)
	for _, w := range e.W {
		b = le.AppendUint64(b, uint64(w))
	}
	return appendLevels(b, lv)
}

func appendReport(b []byte, r *core.Report) []byte {
	b = append(b, byte(r.Kind), byte(r.Status), byte(r.Side), flag(r.Maker))
	b = le.AppendUint16(b, uint16(r.Instrument))
	b = le.AppendUint16(b, uint16(r.FeeAsset))
	b = le.AppendUint32(b, uint32(r.Code))
	b = le.AppendUint16(b, r.Strategy)
	for _, v := range [...]int64{int64(r.ID), r.VenueID, r.TradeID, int64(r.Price), int64(r.Qty), int64(r.Cum), int64(r.Quote), int64(r.Fee), int64(r.VenueTime), int64(r.Recv)} {
		b = le.AppendUint64(b, uint64(v))
	}
	return b
}

func appendImage(b []byte, im *book.Image) []byte {
	b = le.AppendUint16(b, uint16(im.Instrument))
	b = append(b, byte(im.Purpose))
	b = le.AppendUint64(b, im.LastID)
	b = le.AppendUint64(b, uint64(im.Time))
	b = le.AppendUint64(b, uint64(im.Limit))
	return appendLevels(appendLevels(b, im.Bids), im.Asks)
}

// appendCommand: what comes twenty times a second has fields; what a pointer leads to is
// an operator's doing and rare.
func appendCommand(b []byte, c *Command) []byte {
	text := []byte(nil)
	if c.Rules != nil || c.Limits != nil || c.Account != nil || c.Day != nil || c.Tune != nil {
		text, _ = json.Marshal(pointed{c.Rules, c.Limits, c.Account, c.Day, c.Tune}) // plain numbers and texts: it cannot fail
	}
	b = append(b, byte(c.Kind), byte(c.Scope))
	b = le.AppendUint16(b, uint16(c.Instrument))
	b = le.AppendUint16(b, c.Strategy)
	for _, v := range [...]int64{int64(c.Cause), int64(c.ClockError), int64(c.Audited), int64(c.RulesRead), int64(c.Held), int64(c.HeldAt),
		int64(c.VenueAt), int64(c.Number)} {
		b = le.AppendUint64(b, uint64(v))
	}
	return append(le.AppendUint32(b, uint32(len(text))), text...)
}

// pointed is what a Command's pointers lead to.
type pointed struct {
	Rules   *core.Instrument
	Limits  *risk.Limits
	Account *risk.AccountLimits
	Day     *airlock.DayFacts
	Tune    *Tuning
}

func appendAlert(b []byte, a *airlock.Alert) []byte {
	b = le.AppendUint16(le.AppendUint16(b, a.Source), uint16(a.Instrument))
	b = append(b, byte(a.Side), byte(a.Failed))
	for _, v := range [...]int64{int64(a.Price), int64(a.Strength), int64(a.Horizon), int64(a.Issued), int64(a.Recv)} {
		b = le.AppendUint64(b, uint64(v))
	}
	for _, t := range [...]*airlock.Text{&a.ID, &a.Symbol, &a.Why} {
		b = append(append(b, byte(len(t.Bytes()))), t.Bytes()...)
	}
	return b
}

func appendAnswer(b []byte, a *trail.Answer) []byte {
	b = le.AppendUint16(b, uint16(a.Instrument))
	b = append(b, byte(a.Kind))
	name := ""
	if a.Interval != (bar.Interval{}) {
		name = a.Interval.String()
	}
	b = append(append(b, byte(len(name))), name...)
	for _, v := range [...]uint64{a.From, uint64(a.Limit), uint64(a.Start), uint64(a.End), uint64(a.Number)} {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint32(b, uint32(len(a.Events)))
	for i := range a.Events {
		b = appendEvent(b, &a.Events[i], nil)
	}
	b = appendLevels(b, a.Levels)
	b = le.AppendUint32(b, uint32(len(a.Bars)))
	for i := range a.Bars {
		r := &a.Bars[i]
		for _, v := range [...]int64{int64(r.Start), int64(r.End), int64(r.Open), int64(r.High), int64(r.Low), int64(r.Close), r.Trades, r.First, r.Last} {
			b = le.AppendUint64(b, uint64(v))
		}
		for _, v := range [...]bar.Sum{r.Volume, r.Quote, r.TakerBase, r.TakerQuote} {
			b = le.AppendUint64(le.AppendUint64(b, v.Hi), v.Lo)
		}
		b = append(b, flag(r.Broken))
	}
	return b
}

func (d *Decision) append(b []byte) []byte {
	in := &d.Intent
	b = append(b, byte(d.Refusal), byte(in.Kind), byte(in.Side), byte(in.Type), byte(in.TIF), byte(in.STP))
	b = le.AppendUint16(b, uint16(in.Instrument))
	b = le.AppendUint16(b, in.Strategy)
	b = le.AppendUint16(b, in.Trail)
	b = le.AppendUint32(b, in.LifeUs)
	st := &d.Stamps
	for _, v := range [...]uint64{uint64(in.ID), uint64(in.Price), uint64(in.Qty), uint64(in.Stop), uint64(in.Iceberg), uint64(in.Old), d.Input,
		uint64(st.Recv), uint64(st.Decoded), uint64(st.Applied), uint64(st.Decided), uint64(st.Approved)} {
		b = le.AppendUint64(b, v)
	}
	return b
}

// decisions reads all of b.
func decisions(b []byte) (list []Decision, err error) {
	f := fields{b: b}
	for len(f.b) > 0 && f.err == nil {
		var d Decision
		in, st := &d.Intent, &d.Stamps
		d.Refusal, in.Kind, in.Side = risk.Refusal(f.u8()), core.IntentKind(f.u8()), core.Side(f.u8())
		in.Type, in.TIF, in.STP = core.OrderType(f.u8()), core.TIF(f.u8()), core.STP(f.u8())
		in.Instrument, in.Strategy, in.Trail, in.LifeUs = core.InstrumentID(f.u16()), f.u16(), f.u16(), f.u32()
		in.ID, in.Price, in.Qty = core.OrderID(f.u64()), core.Price(f.u64()), core.Qty(f.u64())
		in.Stop, in.Iceberg, in.Old, d.Input = core.Price(f.u64()), core.Qty(f.u64()), core.OrderID(f.u64()), f.u64()
		st.Recv, st.Decoded, st.Applied = core.MonoNs(f.u64()), core.MonoNs(f.u64()), core.MonoNs(f.u64())
		st.Decided, st.Approved = core.MonoNs(f.u64()), core.MonoNs(f.u64())
		list = append(list, d)
	}
	return list, f.err
}

// fields reads one field after the other. The first thing wrong stays, and all reads
// after it give zeros.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err == nil && (n < 0 || n > len(f.b)) {
		f.err = fmt.Errorf("cannot read the input log: %d bytes left of a message, want %d", len(f.b), n)
	}
	if f.err != nil {
		return make([]byte, min(max(n, 0), 8))
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u8() byte    { return f.take(1)[0] }
func (f *fields) u16() uint16 { return le.Uint16(f.take(2)) }
func (f *fields) u32() uint32 { return le.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return le.Uint64(f.take(8)) }
func (f *fields) flag() bool  { return f.u8() != 0 }

func (f *fields) uvarint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.take(math.MaxInt)
		return 0
	}
	f.take(n)
	return v
}

func (f *fields) varint() int64 {
	v, n := binary.Varint(f.b)
	if n <= 0 {
		f.take(math.MaxInt)
		return 0
	}
	f.take(n)
	return v
}

// count is how many items of a size follow.
func (f *fields) count(size int) int {
	n := int(f.u32())
	if f.err == nil && n > len(f.b)/size {
		f.take(math.MaxInt)
	}
	if f.err != nil {
		return 0
	}
	return n
}

func (f *fields) levels(dst []core.Level) []core.Level {
	b := f.take(f.count(16) * 16)
	if f.err != nil {
		return dst
	}
	for ; len(b) > 0; b = b[16:] {
		dst = append(dst, core.Level{Price: core.Price(le.Uint64(b)), Qty: core.Qty(le.Uint64(b[8:]))})
	}
	return dst
}

const eventBytes = 3 + 3*2 + 4 + 6*8

func (f *fields) event(e *core.Event, lv []core.Level) []core.Level {
	b := f.take(eventBytes)
	if f.err != nil {
		return lv
	}
	*e = core.Event{Kind: core.EventKind(b[0]), Flags: b[1], Line: b[2], Instrument: core.InstrumentID(le.Uint16(b[3:])), Bids: le.Uint16(b[5:]), Asks: le.Uint16(b[7:]),
		DecodeNs: le.Uint32(b[9:]), Recv: core.MonoNs(le.Uint64(b[13:])), ID: le.Uint64(b[21:])}
	for i := range e.W {
		e.W[i] = int64(le.Uint64(b[29+8*i:]))
	}
	return f.levels(lv)
}

func (f *fields) report(r *core.Report) {
	r.Kind, r.Status, r.Side, r.Maker = core.ReportKind(f.u8()), core.OrderStatus(f.u8()), core.Side(f.u8()), f.flag()
	r.Instrument, r.FeeAsset, r.Code, r.Strategy = core.InstrumentID(f.u16()), core.AssetID(f.u16()), int32(f.u32()), f.u16()
	r.ID, r.VenueID, r.TradeID = core.OrderID(f.u64()), int64(f.u64()), int64(f.u64())
	r.Price, r.Qty, r.Cum = core.Price(f.u64()), core.Qty(f.u64()), core.Qty(f.u64())
	r.Quote, r.Fee, r.VenueTime, r.Recv = core.Amount(f.u64()), core.Amount(f.u64()), core.WallNs(f.u64()), core.MonoNs(f.u64())
}

func (f *fields) image() *book.Image {
	im := &book.Image{Instrument: core.InstrumentID(f.u16()), Purpose: book.Purpose(f.u8()), LastID: f.u64(), Time: core.WallNs(f.u64()), Limit: int(f.u64())}
	im.Bids, im.Asks = f.levels(nil), f.levels(nil)
	return im
}

func (f *fields) command(c *Command) {
	*c = Command{Kind: CommandKind(f.u8()), Scope: Scope(f.u8()), Instrument: core.InstrumentID(f.u16()), Strategy: f.u16(),
		Cause: risk.HaltCause(f.u64()), ClockError: time.Duration(f.u64()), Audited: core.MonoNs(f.u64()), RulesRead: core.MonoNs(f.u64()),
		Held: core.Qty(f.u64()), HeldAt: core.Qty(f.u64()), VenueAt: core.WallNs(f.u64()), Number: f.u64()}
	text := f.take(f.count(1))
	if f.err != nil || len(text) == 0 {
		return
	}
	var p pointed
	if err := json.Unmarshal(text, &p); err != nil {
		f.err = fmt.Errorf("cannot read the input log: a command: %w", err)
	}
	c.Rules, c.Limits, c.Account, c.Day, c.Tune = p.Rules, p.Limits, p.Account, p.Day, p.Tune
}

func (f *fields) alert(a *airlock.Alert) {
	a.Source, a.Instrument, a.Side, a.Failed = f.u16(), core.InstrumentID(f.u16()), core.Side(f.u8()), airlock.Gate(f.u8())
	a.Price, a.Strength, a.Horizon = core.Price(f.u64()), airlock.Ratio(f.u64()), core.MonoNs(f.u64())
	a.Issued, a.Recv = core.WallNs(f.u64()), core.MonoNs(f.u64())
	for _, t := range [...]*airlock.Text{&a.ID, &a.Symbol, &a.Why} {
		*t = airlock.MakeText(f.take(int(f.u8())))
	}
}

func (f *fields) answer() *trail.Answer {
	a := new(trail.Answer)
	a.Instrument, a.Kind = core.InstrumentID(f.u16()), trail.AskKind(f.u8())
	if name := string(f.take(int(f.u8()))); name != "" && f.err == nil {
		if a.Interval, f.err = bar.Parse(name); f.err != nil {
			return a
		}
	}
	a.From, a.Limit, a.Start, a.End, a.Number = f.u64(), int(f.u64()), core.WallNs(f.u64()), core.WallNs(f.u64()), uint32(f.u64())
	a.Events = make([]core.Event, f.count(eventBytes+4))
	for i := range a.Events {
		f.event(&a.Events[i], nil)
	}
	a.Levels = f.levels(nil)
	a.Bars = make([]bar.Bar, f.count(9*8+8*8+1))
	for i := range a.Bars {
		r := &a.Bars[i]
		r.Start, r.End, r.Open, r.High, r.Low, r.Close = core.WallNs(f.u64()), core.WallNs(f.u64()), core.Price(f.u64()), core.Price(f.u64()), core.Price(f.u64()), core.Price(f.u64())
		r.Trades, r.First, r.Last = int64(f.u64()), int64(f.u64()), int64(f.u64())
		for _, s := range [...]*bar.Sum{&r.Volume, &r.Quote, &r.TakerBase, &r.TakerQuote} {
			s.Hi, s.Lo = f.u64(), f.u64()
		}
		r.Broken = f.flag()
	}
	return a
}
