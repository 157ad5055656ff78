package journal

import "riposte/core"

// SessionStart opens a run of the engine. Account and what follows are of version 2.
type SessionStart struct {
	Epoch   uint64 // counts runs; part of every client id
	Wall    core.WallNs
	Config  [32]byte // SHA-256 of the configuration in force
	Version string   // of the program, at most 255 bytes
	Account string   // which account on which venue this is about
	Prefix  string   // of its client ids
}

// SessionEnd closes a run.
type SessionEnd struct {
	Clean bool // stopped in order, own orders gone, account reconciled
	Wall  core.WallNs
	Text  string // at most 255 bytes
}

// Halt says that trading was stopped, or allowed again. Who is of version 2.
type Halt struct {
	On   bool
	Code uint32 // the causes, as bits; 16 of them in version 1
	Wall core.WallNs
	Text string // why, at most 255 bytes
	Who  string // who or what did it
	// Scope is what is halted: everything, "", or "symbol BTCUSDT", "strategy quoter".
	// Not told before version 3.
	Scope string
}

// Limit is one limit in force, as text: which limits there are changes more often
// than this format may.
type Limit struct {
	Scope string // a symbol, or the account's limits: ""
	Name  string // as in the configuration
	Value string
}

// Audit is the result of one comparison with the venue's view of the account.
type Audit struct {
	Wall    core.WallNs
	Settled bool   // nothing stands open
	Found   uint32 // differences of any kind
	Halting uint32 // of them, those that stop trading
	Text    string // the first of those that stand open, at most 255 bytes
	Marks   []Mark // how far the account's trades have been read and booked
}

// Mark is the newest trade of an instrument that has been read.
type Mark struct {
	Instrument core.InstrumentID
	Trade      int64
}

// Append adds the record to dst.
func (p *SessionStart) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSessionStart)
	dst = u64(dst, p.Epoch)
	dst = i64(dst, p.Wall)
	dst = append(dst, p.Config[:]...)
	dst = text(dst, p.Version)
	return seal(text(text(dst, p.Account), p.Prefix), at)
}

// Decode reads the record.
func (p *SessionStart) Decode(rec *Record) error {
	f := fields(rec, KindSessionStart)
	p.Epoch = f.u64()
	p.Wall = core.WallNs(f.u64())
	copy(p.Config[:], f.take(len(p.Config)))
	p.Version = f.text()
	p.Account, p.Prefix = "", ""
	if rec.Version >= 2 {
		p.Account, p.Prefix = f.text(), f.text()
	}
	return f.end()
}

// Append adds the record to dst.
func (p *SessionEnd) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindSessionEnd)
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

// Append adds the record to dst.
func (p *Halt) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindHalt)
	dst = append(dst, yesNo(p.On))
	dst = u32(dst, p.Code)
	dst = i64(dst, p.Wall)
	return seal(text(text(text(dst, p.Text), p.Who), p.Scope), at)
}

// Decode reads the record.
func (p *Halt) Decode(rec *Record) error {
	f := fields(rec, KindHalt)
	p.On = f.flag()
	if rec.Version >= 2 {
		p.Code = f.u32()
	} else {
		p.Code = uint32(f.u16())
	}
	p.Wall = core.WallNs(f.u64())
	p.Text = f.text()
	p.Who, p.Scope = "", ""
	if rec.Version >= 2 {
		p.Who = f.text()
	}
	if rec.Version >= 3 {
		p.Scope = f.text()
	}
	return f.end()
}

// Append adds the record to dst.
func (p *Limit) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindLimit)
	return seal(text(text(text(dst, p.Scope), p.Name), p.Value), at)
}

// Decode reads the record.
func (p *Limit) Decode(rec *Record) error {
	f := fields(rec, KindLimit)
	p.Scope, p.Name, p.Value = f.text(), f.text(), f.text()
	return f.end()
}

// Append adds the record to dst.
func (p *Audit) Append(dst []byte, seq uint64) []byte {
	dst, at := open(dst, seq, KindAudit)
	dst = i64(dst, p.Wall)
	dst = append(dst, yesNo(p.Settled))
	dst = u32(u32(dst, p.Found), p.Halting)
	dst = text(dst, p.Text)
	dst = u32(dst, uint32(len(p.Marks)))
	for _, m := range p.Marks {
		dst = i64(u16(dst, uint16(m.Instrument)), m.Trade)
	}
	return seal(dst, at)
}

// Decode reads the record. Marks keeps its memory from one call to the next.
func (p *Audit) Decode(rec *Record) error {
	f := fields(rec, KindAudit)
	p.Wall = core.WallNs(f.u64())
	p.Settled = f.flag()
	p.Found, p.Halting = f.u32(), f.u32()
	p.Text = f.text()
	p.Marks = p.Marks[:0]
	for range f.count(10) {
		p.Marks = append(p.Marks, Mark{core.InstrumentID(f.u16()), int64(f.u64())})
	}
	return f.end()
}
