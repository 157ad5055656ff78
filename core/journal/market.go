package journal

import "riposte/core"

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

// Append adds the record to dst.
func (p *Market) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindMarket)
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
	dst, at := open(dst, seq, KindSnapshot)
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
