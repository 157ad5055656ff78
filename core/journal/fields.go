package journal

import (
	"encoding/binary"
	"fmt"

	"riposte/core"
)

func u16(dst []byte, v uint16) []byte      { return binary.LittleEndian.AppendUint16(dst, v) }
func u32(dst []byte, v uint32) []byte      { return binary.LittleEndian.AppendUint32(dst, v) }
func u64(dst []byte, v uint64) []byte      { return binary.LittleEndian.AppendUint64(dst, v) }
func i64[T ~int64](dst []byte, v T) []byte { return u64(dst, uint64(v)) }
func text[T string | []byte](dst []byte, s T) []byte {
	// Texts are ours: symbols, ids, reasons. A longer one loses its end, never the
	// record.
	s = s[:min(len(s), 255)]
	return append(append(dst, byte(len(s))), s...)
}

func yesNo(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func levels(dst []byte, lv []core.Level) []byte {
	dst = u32(dst, uint32(len(lv)))
	for i := range lv {
		dst = i64(i64(dst, lv[i].Price), lv[i].Qty)
	}
	return dst
}

// payload reads fields one after the other. The first thing wrong stays, and all
// reads after it give zeros, so a decoder checks once, at its end.
type payload struct {
	rec *Record
	b   []byte
	err error
}

// fields starts reading a record of that kind. Layouts up to the newest are known:
// a record of a later one was written by a later program, and guessing at it would be
// worse than stopping.
func fields(rec *Record, k Kind) payload {
	f := payload{rec: rec, b: rec.Payload}
	switch {
	case rec.Kind != k:
		f.err = fmt.Errorf("cannot read record %d as %v: it is %v", rec.Seq, k, rec.Kind)
	case rec.Version == 0 || rec.Version > newest[k]:
		f.err = fmt.Errorf("cannot read %v record %d: version %d, want at most %d: a newer riposte wrote it", k, rec.Seq, rec.Version, newest[k])
	}
	return f
}

// end is what went wrong, also that bytes are left over.
func (f *payload) end() error {
	if f.err == nil && len(f.b) > 0 {
		f.bad("%d bytes too many", len(f.b))
	}
	return f.err
}

func (f *payload) bad(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("cannot read %v record %d: %s", f.rec.Kind, f.rec.Seq, fmt.Sprintf(format, args...))
	}
}

var zeros [64]byte

// take is the next n bytes; n is at most 64 or what a length just read allows.
func (f *payload) take(n int) []byte {
	if f.err == nil && len(f.b) < n {
		f.bad("payload of %d bytes ends %d too early", len(f.rec.Payload), n-len(f.b))
	}
	if f.err != nil {
		return zeros[:min(n, len(zeros))]
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *payload) u8() uint8   { return f.take(1)[0] }
func (f *payload) u16() uint16 { return binary.LittleEndian.Uint16(f.take(2)) }
func (f *payload) u32() uint32 { return binary.LittleEndian.Uint32(f.take(4)) }
func (f *payload) u64() uint64 { return binary.LittleEndian.Uint64(f.take(8)) }

func (f *payload) text() string {
	s := string(f.take(int(f.u8())))
	if f.err != nil {
		return ""
	}
	return s
}

// textInto reads a text over *s, which stays as it is if it is the same: most records
// name the symbol that the one before named.
func (f *payload) textInto(s *string) {
	b := f.take(int(f.u8()))
	if f.err != nil {
		b = nil
	}
	if string(b) != *s {
		*s = string(b)
	}
}

// count reads how many items of at least size bytes follow.
func (f *payload) count(size int) int {
	n := int(f.u32())
	if f.err == nil && len(f.b)/size < n {
		f.bad("%d items in %d bytes", n, len(f.b))
	}
	if f.err != nil {
		return 0
	}
	return n
}

func (f *payload) client() core.ClientID {
	c, ok := core.MakeClientID(f.take(int(f.u8())))
	if !ok {
		f.bad("client id is longer than 36 bytes")
	}
	return c
}

func (f *payload) flag() bool {
	v := f.u8()
	if v > 1 {
		f.bad("flag is %d, want 0 or 1", v)
	}
	return v == 1
}

// enum reads a one-byte value that may be at most last.
func enum[T ~uint8](f *payload, last T) T {
	v := T(f.u8())
	if v > last {
		f.bad("value is %d, want at most %d", uint8(v), uint8(last))
		return 0
	}
	return v
}

func (f *payload) levels(dst []core.Level) []core.Level {
	n := int(f.u32())
	if f.err == nil && len(f.b)/16 < n {
		f.bad("%d levels in %d bytes", n, len(f.b))
	}
	if f.err != nil {
		return dst
	}
	for range n {
		dst = append(dst, core.Level{Price: core.Price(f.u64()), Qty: core.Qty(f.u64())})
	}
	return dst
}
