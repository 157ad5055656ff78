package journal

import (
	"time"

	"riposte/core"
)

// Segment opens a file of the journal. Files are numbered from 1, and sequence
// numbers go on from one to the next.
type Segment struct {
	Number uint64 // of this file
	First  uint64 // the file in which this session began
	Base   uint64 // the newest file before it that has a checkpoint, 0: none
	Epoch  uint64
	Wall   core.WallNs
}

// Chain says what an earlier file holds, once that is finished: the one before, and
// one more where a death came in between. With it no finished file can be changed,
// left out or put in another place unseen.
type Chain struct {
	Number uint64   // of the finished file
	Bytes  int64    // its length
	Cut    int64    // torn bytes that were cut off behind that, after a death
	Sum    [32]byte // SHA-256 of its bytes
}

// Names tells what the numbers of instruments and assets mean in this session. A long
// table comes in several records.
type Names struct {
	FirstInstrument core.InstrumentID
	FirstAsset      core.AssetID
	Instruments     []InstrumentName
	Assets          []string
}

// InstrumentName is one instrument of Names.
type InstrumentName struct {
	Symbol      string
	Base, Quote core.AssetID
}

// Position is what fills have made of one instrument. It is part of a checkpoint.
type Position struct {
	Symbol string
	Net    core.Qty    // of the fills' quantities
	Cash   core.Amount // quote received less paid
	Mark   int64       // the newest trade read, -1: none was ever made, -2: nobody has looked

	BaseFees  core.Qty    // commissions taken in the base asset, not in Net
	QuoteFees core.Amount // and in the quote, not in Cash
}

// HoldingKind is why a holding is on record.
type HoldingKind uint8

// The kinds of holding. Opening: the venue's word at the first start. Carried: part of
// a checkpoint. External: it changed by Delta without a trade of ours.
const (
	HoldingOpening HoldingKind = iota
	HoldingCarried
	HoldingExternal
)

var holdingText = [...]string{"opening", "carried", "external"}

func (k HoldingKind) String() string { return holdingText[k] }

// Holding is what we should own of an asset.
type Holding struct {
	Kind  HoldingKind
	Asset string
	Owned core.Amount // free and locked, with Delta
	Delta core.Amount // External: what was added
	Fees  core.Amount // paid in this asset so far
	Wall  core.WallNs
	Text  string // why
}

// Order is one order as of a checkpoint. The facts are those of exec's order table. Cum is
// of version 2.
type Order struct {
	ID       core.OrderID
	Client   core.ClientID
	VenueID  int64
	Symbol   string
	Strategy uint16
	Side     core.Side
	Type     core.OrderType
	TIF      core.TIF
	Price    core.Price
	Qty      core.Qty
	Filled   core.Qty
	Stamp    core.WallNs
	Window   time.Duration
	Alive    bool
	Refused  bool
	Gone     bool
	Doubt    bool
	End      core.OrderStatus // PendingNew if it has not ended
	Trades   []int64          // the fills booked
	Cum      core.Qty         // traded in all by the venue's word, 0 if that is Filled
}

// Checkpoint says that the records since the session's start, of which it gives the
// numbers, are all that former sessions matter for. Shares is of version 2.
type Checkpoint struct {
	Epoch     uint64
	Positions uint32
	Holdings  uint32
	Orders    uint32
	Wall      core.WallNs
	Runs      []Run // former runs
	Shares    uint32
}

// Run is a run of the engine and the highest sequence number in a client id of its.
type Run struct{ Epoch, Last uint64 }

// Append adds the record to dst.
func (p *Segment) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSegment)
	dst = u64(u64(u64(u64(dst, p.Number), p.First), p.Base), p.Epoch)
	return seal(i64(dst, p.Wall), at)
}

// Decode reads the record.
func (p *Segment) Decode(rec *Record) error {
	f := fields(rec, KindSegment)
	p.Number, p.First, p.Base, p.Epoch = f.u64(), f.u64(), f.u64(), f.u64()
	p.Wall = core.WallNs(f.u64())
	return f.end()
}

// Append adds the record to dst.
func (p *Chain) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindChain)
	dst = u64(u64(u64(dst, p.Number), uint64(p.Bytes)), uint64(p.Cut))
	return seal(append(dst, p.Sum[:]...), at)
}

// Decode reads the record.
func (p *Chain) Decode(rec *Record) error {
	f := fields(rec, KindChain)
	p.Number, p.Bytes, p.Cut = f.u64(), int64(f.u64()), int64(f.u64())
	copy(p.Sum[:], f.take(len(p.Sum)))
	return f.end()
}

// Append adds the record to dst.
func (p *Names) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindNames)
	dst = u16(u16(dst, uint16(p.FirstInstrument)), uint16(p.FirstAsset))
	dst = u32(dst, uint32(len(p.Instruments)))
	for i := range p.Instruments {
		in := &p.Instruments[i]
		dst = u16(u16(text(dst, in.Symbol), uint16(in.Base)), uint16(in.Quote))
	}
	dst = u32(dst, uint32(len(p.Assets)))
	for _, a := range p.Assets {
		dst = text(dst, a)
	}
	return seal(dst, at)
}

// Decode reads the record.
func (p *Names) Decode(rec *Record) error {
	f := fields(rec, KindNames)
	p.FirstInstrument, p.FirstAsset = core.InstrumentID(f.u16()), core.AssetID(f.u16())
	p.Instruments, p.Assets = p.Instruments[:0], p.Assets[:0]
	for range f.count(5) {
		p.Instruments = append(p.Instruments, InstrumentName{f.text(), core.AssetID(f.u16()), core.AssetID(f.u16())})
	}
	for range f.count(1) {
		p.Assets = append(p.Assets, f.text())
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Position) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindPosition)
	dst = i64(i64(text(dst, p.Symbol), p.Net), p.Cash)
	dst = i64(u64(dst, uint64(p.Mark)), p.BaseFees)
	return seal(i64(dst, p.QuoteFees), at)
}

// Decode reads the record.
func (p *Position) Decode(rec *Record) error {
	f := fields(rec, KindPosition)
	p.Symbol = f.text()
	p.Net, p.Cash, p.Mark = core.Qty(f.u64()), core.Amount(f.u64()), int64(f.u64())
	p.BaseFees, p.QuoteFees = core.Qty(f.u64()), core.Amount(f.u64())
	return f.end()
}

// Append adds the record to dst.
func (p *Holding) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindHolding)
	dst = text(append(dst, byte(p.Kind)), p.Asset)
	dst = i64(i64(i64(i64(dst, p.Owned), p.Delta), p.Fees), p.Wall)
	return seal(text(dst, p.Text), at)
}

// Decode reads the record.
func (p *Holding) Decode(rec *Record) error {
	f := fields(rec, KindHolding)
	p.Kind = enum(&f, HoldingExternal)
	p.Asset = f.text()
	p.Owned, p.Delta, p.Fees = core.Amount(f.u64()), core.Amount(f.u64()), core.Amount(f.u64())
	p.Wall = core.WallNs(f.u64())
	p.Text = f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Order) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindOrder)
	dst = text(u64(dst, uint64(p.ID)), p.Client.Bytes())
	dst = text(u64(dst, uint64(p.VenueID)), p.Symbol)
	dst = append(u16(dst, p.Strategy), byte(p.Side), byte(p.Type), byte(p.TIF))
	dst = i64(i64(i64(dst, p.Price), p.Qty), p.Filled)
	dst = i64(i64(dst, p.Stamp), p.Window)
	dst = append(dst, yesNo(p.Alive), yesNo(p.Refused), yesNo(p.Gone), yesNo(p.Doubt), byte(p.End))
	dst = u32(dst, uint32(len(p.Trades)))
	for _, t := range p.Trades {
		dst = u64(dst, uint64(t))
	}
	return seal(i64(dst, p.Cum), at)
}

// Decode reads the record.
func (p *Order) Decode(rec *Record) error {
	f := fields(rec, KindOrder)
	p.ID = core.OrderID(f.u64())
	p.Client = f.client()
	p.VenueID = int64(f.u64())
	p.Symbol = f.text()
	p.Strategy = f.u16()
	p.Side = enum(&f, core.Sell)
	p.Type = enum(&f, core.TakeProfitLimit)
	p.TIF = enum(&f, core.FOK)
	p.Price, p.Qty, p.Filled = core.Price(f.u64()), core.Qty(f.u64()), core.Qty(f.u64())
	p.Stamp, p.Window = core.WallNs(f.u64()), time.Duration(f.u64())
	p.Alive, p.Refused, p.Gone, p.Doubt = f.flag(), f.flag(), f.flag(), f.flag()
	p.End = enum(&f, core.NotSent)
	p.Trades = nil
	for range f.count(8) {
		p.Trades = append(p.Trades, int64(f.u64()))
	}
	if p.Cum = 0; rec.Version >= 2 {
		p.Cum = core.Qty(f.u64())
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Checkpoint) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindCheckpoint)
	dst = u64(dst, p.Epoch)
	dst = u32(u32(u32(dst, p.Positions), p.Holdings), p.Orders)
	dst = u32(i64(dst, p.Wall), uint32(len(p.Runs)))
	for _, r := range p.Runs {
		dst = u64(u64(dst, r.Epoch), r.Last)
	}
	return seal(u32(dst, p.Shares), at)
}

// Decode reads the record.
func (p *Checkpoint) Decode(rec *Record) error {
	f := fields(rec, KindCheckpoint)
	p.Epoch = f.u64()
	p.Positions, p.Holdings, p.Orders = f.u32(), f.u32(), f.u32()
	p.Wall = core.WallNs(f.u64())
	p.Runs = nil
	for range f.count(16) {
		p.Runs = append(p.Runs, Run{f.u64(), f.u64()})
	}
	if p.Shares = 0; rec.Version >= 2 {
		p.Shares = f.u32()
	}
	return f.end()
}
