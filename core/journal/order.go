package journal

import (
	"time"

	"riposte/core"
)

// Intent is an order, cancel or amend about to leave: it is on record before the
// first byte is written. VenueID and what follows are of version 2.
type Intent struct {
	Kind     core.IntentKind
	Side     core.Side
	Type     core.OrderType
	TIF      core.TIF
	Strategy uint16
	Order    core.OrderID
	Input    uint64 // number of the engine input that led to it
	Price    core.Price
	Qty      core.Qty
	Wall     core.WallNs // the venue time that was signed
	Client   core.ClientID
	Symbol   string // at most 255 bytes

	VenueID   int64         // of the order that a cancel or amend is about, 0 if unknown
	Window    time.Duration // how long after Wall the venue may act on it
	Stop      core.Price
	Iceberg   core.Qty
	Old       core.OrderID // Replace: the order that ends
	LifeUs    uint32
	Trail     uint16
	STP       core.STP
	Route     uint8 // by which way it leaves and why: exec.Path
	Presigned bool
}

// Sent says that an intent's last byte was handed to the wire: what led to it, by which
// times, and what was at stake. What follows Wall is of version 2.
type Sent struct {
	Kind  core.IntentKind
	Order core.OrderID
	Wall  core.WallNs

	Input uint64 // of the engine
	Bytes uint32 // of the request
	// On the process's monotonic clock: bytes read, decoded, applied to the book, asked for,
	// approved, laid out and signed, written.
	Recv, Decoded, Applied, Decided, Approved, Encoded, Written core.MonoNs

	Cause   uint8          // kind of input, of engine.CauseKind
	Event   core.EventKind // of the market event that led to it, 0: none did
	EventID uint64
	Venue   core.WallNs // the venue's time of that event, 0: not told
	Judged
	// Routes is what an order was expected to take by each route, by exec.Route, in
	// microseconds; 0: not known. Intent.Route says which it took.
	Routes [2]uint32
}

// Judged is what the gate judged an intent by; amounts are in the account's currency.
type Judged struct {
	Top        core.Top
	Position   core.Qty // of the instrument
	Buy, Sell  core.Qty // what may still trade, an approved order included
	Open       uint32   // orders on the instrument, likewise
	Live       uint32   // of the account
	Unknown    uint32
	Gross      core.Amount
	DayPnL     core.Amount
	Proof      core.MonoNs // age of the newest proof of the book
	ClockError time.Duration
}

func (j *Judged) append(dst []byte) []byte {
	t := &j.Top
	dst = u64(dst, t.ID)
	for _, v := range [...]int64{int64(t.Bid), int64(t.BidQty), int64(t.Ask), int64(t.AskQty), int64(j.Position), int64(j.Buy), int64(j.Sell),
		int64(j.Gross), int64(j.DayPnL), int64(j.Proof), int64(j.ClockError)} {
		dst = u64(dst, uint64(v))
	}
	return u32(u32(u32(dst, j.Open), j.Live), j.Unknown)
}

func (j *Judged) read(f *payload) {
	t := &j.Top
	t.ID, t.Bid, t.BidQty, t.Ask, t.AskQty = f.u64(), core.Price(f.u64()), core.Qty(f.u64()), core.Price(f.u64()), core.Qty(f.u64())
	j.Position, j.Buy, j.Sell = core.Qty(f.u64()), core.Qty(f.u64()), core.Qty(f.u64())
	j.Gross, j.DayPnL, j.Proof, j.ClockError = core.Amount(f.u64()), core.Amount(f.u64()), core.MonoNs(f.u64()), time.Duration(f.u64())
	j.Open, j.Live, j.Unknown = f.u32(), f.u32(), f.u32()
}

// Report is what became known of one of our orders. Instrument and FeeAsset are those
// of the session's Names. Version 2 has the kinds of report from ReportAmended on, version
// 3 the strategy, by the session's Strategies.
type Report struct {
	Wall   core.WallNs
	Report core.Report
}

// Refusal is an intent that the gate did not let through, or several of the same
// reason, strategy and instrument within a second: then the fields are the first
// one's. Count and Text are of version 2, what follows of version 3: the rest of the
// intent, and what it was judged by.
type Refusal struct {
	Kind     core.IntentKind
	Side     core.Side
	Reason   uint16 // the gate's code
	Strategy uint16
	Order    core.OrderID
	Input    uint64
	Price    core.Price
	Qty      core.Qty
	Wall     core.WallNs
	Symbol   string // at most 255 bytes
	Count    uint32
	Text     string // the reason in words
	Why
}

// Why is the rest of a refused intent, and what it was judged by.
type Why struct {
	Type    core.OrderType
	TIF     core.TIF
	Stop    core.Price
	Iceberg core.Qty
	Old     core.OrderID
	Trail   uint16
	Halt    uint32 // causes in force
	Book    uint8  // state, of book.State
	// The order that a cancel, amend or replace names.
	OfPrice  core.Price
	OfQty    core.Qty
	OfCum    core.Qty
	OfAmends uint8

	Last, Average  core.Price // the last trade's, and as the venue tells it
	Held           core.Qty   // of the base asset
	Unpriced       bool
	Audited, Rules core.MonoNs // ages
	Orders, Trades uint64      // of the day
	Judged
}

// Append adds the record to dst.
func (p *Intent) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindIntent)
	dst = append(dst, byte(p.Kind), byte(p.Side), byte(p.Type), byte(p.TIF))
	dst = u16(dst, p.Strategy)
	dst = u64(dst, uint64(p.Order))
	dst = u64(dst, p.Input)
	dst = i64(dst, p.Price)
	dst = i64(dst, p.Qty)
	dst = i64(dst, p.Wall)
	dst = text(dst, p.Client.Bytes())
	dst = text(dst, p.Symbol)
	dst = u64(dst, uint64(p.VenueID))
	dst = i64(dst, p.Window)
	dst = i64(dst, p.Stop)
	dst = i64(dst, p.Iceberg)
	dst = u64(dst, uint64(p.Old))
	dst = u32(dst, p.LifeUs)
	dst = u16(dst, p.Trail)
	return seal(append(dst, byte(p.STP), p.Route, yesNo(p.Presigned)), at)
}

// Decode reads the record. Symbol stays the same string where it has not changed.
func (p *Intent) Decode(rec *Record) error {
	f := fields(rec, KindIntent)
	last := core.Replace
	if rec.Version == 1 {
		last = core.CancelAll
	}
	p.Kind = enum(&f, last)
	p.Side = enum(&f, core.Sell)
	p.Type = enum(&f, core.TakeProfitLimit)
	p.TIF = enum(&f, core.FOK)
	p.Strategy = f.u16()
	p.Order = core.OrderID(f.u64())
	p.Input = f.u64()
	p.Price = core.Price(f.u64())
	p.Qty = core.Qty(f.u64())
	p.Wall = core.WallNs(f.u64())
	p.Client = f.client()
	f.textInto(&p.Symbol)
	p.VenueID, p.Window, p.Stop, p.Iceberg, p.Old, p.LifeUs, p.Trail, p.STP, p.Route, p.Presigned = 0, 0, 0, 0, 0, 0, 0, 0, 0, false
	if rec.Version >= 2 {
		p.VenueID = int64(f.u64())
		p.Window = time.Duration(f.u64())
		p.Stop = core.Price(f.u64())
		p.Iceberg = core.Qty(f.u64())
		p.Old = core.OrderID(f.u64())
		p.LifeUs = f.u32()
		p.Trail = f.u16()
		p.STP = enum(&f, core.STPTransfer)
		p.Route = f.u8()
		p.Presigned = f.flag()
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Sent) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSent)
	dst = append(dst, byte(p.Kind))
	dst = u64(dst, uint64(p.Order))
	dst = u64(i64(dst, p.Wall), p.Input)
	dst = u32(dst, p.Bytes)
	for _, t := range [...]core.MonoNs{p.Recv, p.Decoded, p.Applied, p.Decided, p.Approved, p.Encoded, p.Written} {
		dst = i64(dst, t)
	}
	dst = u64(append(dst, p.Cause, byte(p.Event)), p.EventID)
	dst = p.Judged.append(i64(dst, p.Venue))
	return seal(u32(u32(dst, p.Routes[0]), p.Routes[1]), at)
}

// Decode reads the record.
func (p *Sent) Decode(rec *Record) error {
	f := fields(rec, KindSent)
	last := core.Replace
	if rec.Version == 1 {
		last = core.CancelAll
	}
	*p = Sent{Kind: enum(&f, last), Order: core.OrderID(f.u64()), Wall: core.WallNs(f.u64())}
	if rec.Version >= 2 {
		p.Input, p.Bytes = f.u64(), f.u32()
		for _, t := range [...]*core.MonoNs{&p.Recv, &p.Decoded, &p.Applied, &p.Decided, &p.Approved, &p.Encoded, &p.Written} {
			*t = core.MonoNs(f.u64())
		}
		p.Cause, p.Event, p.EventID, p.Venue = f.u8(), core.EventKind(f.u8()), f.u64(), core.WallNs(f.u64())
		p.Judged.read(&f)
		p.Routes[0], p.Routes[1] = f.u32(), f.u32()
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Report) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindReport)
	r := &p.Report
	dst = i64(dst, p.Wall)
	dst = append(dst, byte(r.Kind), byte(r.Status), byte(r.Side), yesNo(r.Maker))
	dst = u16(dst, uint16(r.Instrument))
	dst = u16(dst, uint16(r.FeeAsset))
	dst = u32(dst, uint32(r.Code))
	dst = u64(dst, uint64(r.ID))
	dst = i64(dst, r.VenueID)
	dst = i64(dst, r.TradeID)
	dst = i64(dst, r.Price)
	dst = i64(dst, r.Qty)
	dst = i64(dst, r.Cum)
	dst = i64(dst, r.Quote)
	dst = i64(dst, r.Fee)
	dst = i64(dst, r.VenueTime)
	return seal(u16(i64(dst, r.Recv), r.Strategy), at)
}

// Decode reads the record.
func (p *Report) Decode(rec *Record) error {
	f := fields(rec, KindReport)
	r := &p.Report
	last := core.ReportAdopted
	if rec.Version == 1 {
		last = core.ReportResolved
	}
	p.Wall = core.WallNs(f.u64())
	r.Kind = enum(&f, last)
	r.Status = enum(&f, core.NotSent)
	r.Side = enum(&f, core.Sell)
	r.Maker = f.flag()
	r.Instrument = core.InstrumentID(f.u16())
	r.FeeAsset = core.AssetID(f.u16())
	r.Code = int32(f.u32())
	r.ID = core.OrderID(f.u64())
	r.VenueID = int64(f.u64())
	r.TradeID = int64(f.u64())
	r.Price = core.Price(f.u64())
	r.Qty = core.Qty(f.u64())
	r.Cum = core.Qty(f.u64())
	r.Quote = core.Amount(f.u64())
	r.Fee = core.Amount(f.u64())
	r.VenueTime = core.WallNs(f.u64())
	r.Recv = core.MonoNs(f.u64())
	if r.Strategy = core.NoStrategy; rec.Version >= 3 {
		r.Strategy = f.u16()
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Refusal) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindRefusal)
	dst = append(dst, byte(p.Kind), byte(p.Side))
	dst = u16(dst, p.Reason)
	dst = u16(dst, p.Strategy)
	dst = u64(dst, uint64(p.Order))
	dst = u64(dst, p.Input)
	dst = i64(dst, p.Price)
	dst = i64(dst, p.Qty)
	dst = i64(dst, p.Wall)
	dst = u32(text(dst, p.Symbol), p.Count)
	dst = append(text(dst, p.Text), byte(p.Type), byte(p.TIF))
	dst = i64(i64(dst, p.Stop), p.Iceberg)
	dst = u32(u16(u64(dst, uint64(p.Old)), p.Trail), p.Halt)
	dst = i64(i64(i64(append(dst, p.Book), p.OfPrice), p.OfQty), p.OfCum)
	dst = i64(i64(i64(append(dst, p.OfAmends), p.Last), p.Average), p.Held)
	dst = i64(i64(append(dst, yesNo(p.Unpriced)), p.Audited), p.Rules)
	return seal(p.Judged.append(u64(u64(dst, p.Orders), p.Trades)), at)
}

// Decode reads the record. One of version 1 counts once.
func (p *Refusal) Decode(rec *Record) error {
	f := fields(rec, KindRefusal)
	last := core.Replace
	if rec.Version == 1 {
		last = core.CancelAll
	}
	p.Kind = enum(&f, last)
	p.Side = enum(&f, core.Sell)
	p.Reason = f.u16()
	p.Strategy = f.u16()
	p.Order = core.OrderID(f.u64())
	p.Input = f.u64()
	p.Price = core.Price(f.u64())
	p.Qty = core.Qty(f.u64())
	p.Wall = core.WallNs(f.u64())
	p.Symbol = f.text()
	p.Count, p.Text = 1, ""
	if rec.Version >= 2 {
		p.Count, p.Text = f.u32(), f.text()
	}
	if p.Why = (Why{}); rec.Version >= 3 {
		p.Why.read(&f)
	}
	return f.end()
}

func (w *Why) read(f *payload) {
	w.Type, w.TIF = enum(f, core.TakeProfitLimit), enum(f, core.FOK)
	w.Stop, w.Iceberg, w.Old = core.Price(f.u64()), core.Qty(f.u64()), core.OrderID(f.u64())
	w.Trail, w.Halt, w.Book = f.u16(), f.u32(), f.u8()
	w.OfPrice, w.OfQty, w.OfCum, w.OfAmends = core.Price(f.u64()), core.Qty(f.u64()), core.Qty(f.u64()), f.u8()
	w.Last, w.Average, w.Held, w.Unpriced = core.Price(f.u64()), core.Price(f.u64()), core.Qty(f.u64()), f.flag()
	w.Audited, w.Rules = core.MonoNs(f.u64()), core.MonoNs(f.u64())
	w.Orders, w.Trades = f.u64(), f.u64()
	w.Judged.read(f)
}
