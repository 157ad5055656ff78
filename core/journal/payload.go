package journal

import "riposte/core"

// Each payload below appends itself as a whole record and decodes itself from
// one. Append returns dst longer by the record and allocates only if dst has no
// room. Decode copies; nothing points into the record afterwards.

// SessionStart opens a run of the engine.
type SessionStart struct {
	Epoch   uint64 // counts runs; part of every client id
	Wall    core.WallNs
	Config  [32]byte // SHA-256 of the configuration in force
	Version string   // of the program, at most 255 bytes
}

// Intent is an order or cancel about to leave: it is on record before the first
// byte is written.
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
	Wall     core.WallNs
	Client   core.ClientID
	Symbol   string // at most 255 bytes
}

// Sent says that an intent's last byte was handed to the wire.
type Sent struct {
	Kind  core.IntentKind
	Order core.OrderID
	Wall  core.WallNs
}

// Report is what became known of one of our orders.
type Report struct {
	Wall   core.WallNs
	Report core.Report
}

// Refusal is an intent that the gate did not let through.
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
}

// Market is a market event as it entered the engine.
type Market struct {
	Event  core.Event
	Levels []core.Level
}

// Snapshot is a book snapshot as it entered the engine.
type Snapshot struct {
	Instrument core.InstrumentID
	LastID     uint64
	Time       core.WallNs
	Limit      uint32
	Bids, Asks []core.Level
}

// Halt says that trading was stopped, or allowed again.
type Halt struct {
	On   bool
	Code uint16
	Wall core.WallNs
	Text string // why, at most 255 bytes
}

// SessionEnd closes a run.
type SessionEnd struct {
	Clean bool // stopped in order, own orders gone, account reconciled
	Wall  core.WallNs
	Text  string // at most 255 bytes
}

// Append adds the record to dst.
func (p *SessionStart) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSessionStart, 1)
	dst = u64(dst, p.Epoch)
	dst = i64(dst, p.Wall)
	dst = append(dst, p.Config[:]...)
	return seal(text(dst, p.Version), at)
}

// Decode reads the record.
func (p *SessionStart) Decode(rec *Record) error {
	f := fields(rec, KindSessionStart)
	p.Epoch = f.u64()
	p.Wall = core.WallNs(f.u64())
	copy(p.Config[:], f.take(len(p.Config)))
	p.Version = f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Intent) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindIntent, 1)
	dst = append(dst, byte(p.Kind), byte(p.Side), byte(p.Type), byte(p.TIF))
	dst = u16(dst, p.Strategy)
	dst = u64(dst, uint64(p.Order))
	dst = u64(dst, p.Input)
	dst = i64(dst, p.Price)
	dst = i64(dst, p.Qty)
	dst = i64(dst, p.Wall)
	dst = text(dst, p.Client.Bytes())
	return seal(text(dst, p.Symbol), at)
}

// Decode reads the record.
func (p *Intent) Decode(rec *Record) error {
	f := fields(rec, KindIntent)
	p.Kind = enum(&f, core.CancelAll)
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
	p.Symbol = f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Sent) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSent, 1)
	dst = append(dst, byte(p.Kind))
	dst = u64(dst, uint64(p.Order))
	return seal(i64(dst, p.Wall), at)
}

// Decode reads the record.
func (p *Sent) Decode(rec *Record) error {
	f := fields(rec, KindSent)
	p.Kind = enum(&f, core.CancelAll)
	p.Order = core.OrderID(f.u64())
	p.Wall = core.WallNs(f.u64())
	return f.end()
}

// Append adds the record to dst.
func (p *Report) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindReport, 1)
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
	return seal(i64(dst, r.Recv), at)
}

// Decode reads the record.
func (p *Report) Decode(rec *Record) error {
	f := fields(rec, KindReport)
	r := &p.Report
	p.Wall = core.WallNs(f.u64())
	r.Kind = enum(&f, core.ReportResolved)
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
	return f.end()
}

// Append adds the record to dst.
func (p *Refusal) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindRefusal, 1)
	dst = append(dst, byte(p.Kind), byte(p.Side))
	dst = u16(dst, p.Reason)
	dst = u16(dst, p.Strategy)
	dst = u64(dst, uint64(p.Order))
	dst = u64(dst, p.Input)
	dst = i64(dst, p.Price)
	dst = i64(dst, p.Qty)
	dst = i64(dst, p.Wall)
	return seal(text(dst, p.Symbol), at)
}

// Decode reads the record.
func (p *Refusal) Decode(rec *Record) error {
	f := fields(rec, KindRefusal)
	p.Kind = enum(&f, core.CancelAll)
	p.Side = enum(&f, core.Sell)
	p.Reason = f.u16()
	p.Strategy = f.u16()
	p.Order = core.OrderID(f.u64())
	p.Input = f.u64()
	p.Price = core.Price(f.u64())
	p.Qty = core.Qty(f.u64())
	p.Wall = core.WallNs(f.u64())
	p.Symbol = f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Market) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindMarket, 1)
	e := &p.Event
	dst = append(dst, byte(e.Kind), e.Flags, e.Line)
	dst = u16(dst, uint16(e.Instrument))
	dst = u16(dst, e.Bids)
	dst = u16(dst, e.Asks)
	dst = u32(dst, e.DecodeNs)
	dst = i64(dst, e.Recv)
	dst = u64(dst, e.ID)
	for _, w := range e.W {
		dst = i64(dst, w)
	}
	return seal(levels(dst, p.Levels), at)
}

// Decode reads the record. Levels keeps its memory from one call to the next.
func (p *Market) Decode(rec *Record) error {
	f := fields(rec, KindMarket)
	e := &p.Event
	e.Kind = enum(&f, core.Overflow)
	e.Flags, e.Line = f.u8(), f.u8()
	e.Instrument = core.InstrumentID(f.u16())
	e.Bids, e.Asks = f.u16(), f.u16()
	e.DecodeNs = f.u32()
	e.Recv = core.MonoNs(f.u64())
	e.ID = f.u64()
	for i := range e.W {
		e.W[i] = int64(f.u64())
	}
	p.Levels = f.levels(p.Levels[:0])
	return f.end()
}

// Append adds the record to dst.
func (p *Snapshot) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSnapshot, 1)
	dst = u16(dst, uint16(p.Instrument))
	dst = u64(dst, p.LastID)
	dst = i64(dst, p.Time)
	dst = u32(dst, p.Limit)
	return seal(levels(levels(dst, p.Bids), p.Asks), at)
}

// Decode reads the record. Bids and Asks keep their memory.
func (p *Snapshot) Decode(rec *Record) error {
	f := fields(rec, KindSnapshot)
	p.Instrument = core.InstrumentID(f.u16())
	p.LastID = f.u64()
	p.Time = core.WallNs(f.u64())
	p.Limit = f.u32()
	p.Bids = f.levels(p.Bids[:0])
	p.Asks = f.levels(p.Asks[:0])
	return f.end()
}

// Append adds the record to dst.
func (p *Halt) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindHalt, 1)
	dst = append(dst, yesNo(p.On))
	dst = u16(dst, p.Code)
	dst = i64(dst, p.Wall)
	return seal(text(dst, p.Text), at)
}

// Decode reads the record.
func (p *Halt) Decode(rec *Record) error {
	f := fields(rec, KindHalt)
	p.On = f.flag()
	p.Code = f.u16()
	p.Wall = core.WallNs(f.u64())
	p.Text = f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *SessionEnd) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSessionEnd, 1)
	dst = append(dst, yesNo(p.Clean))
	dst = i64(dst, p.Wall)
	return seal(text(dst, p.Text), at)
}

// Decode reads the record.
func (p *SessionEnd) Decode(rec *Record) error {
	f := fields(rec, KindSessionEnd)
	p.Clean = f.flag()
	p.Wall = core.WallNs(f.u64())
	p.Text = f.text()
	return f.end()
}
