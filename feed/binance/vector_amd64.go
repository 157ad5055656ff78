package binance

import (
	"unsafe"

	"golang.org/x/sys/cpu"

	"riposte/core"
)

// hasVectors reports whether the machine and its system have what the assembly
// uses. cpu looks at what the system saves of the wide registers, too.
var hasVectors = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL &&
	cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512VBMI2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// levelForm is what levelsAVX512 knows of the numbers of one book: how many digits
// they have behind the point, which the venue fixes per symbol.
type levelForm struct {
	price, qty numberBytes
	shortest   [2]uint32 // from quote to quote
	longer     [2]uint32 // how much longer a number may be
	_          [0]uint64
}

// numberBytes tells of the 16 bytes in front of a number's closing quote what each
// is counted from and how far it may be above that, and brings its digits to fixed
// places: eight before the point, eight behind.
type numberBytes struct {
	from, span, place [16]byte
}

// levelForms by digits behind the point of prices and of quantities.
var levelForms = func() (forms [9][9]levelForm) {
	for p := range forms {
		for q := range forms[p] {
			f := &forms[p][q]
			f.price, f.shortest[0], f.longer[0] = bytesOf(p)
			f.qty, f.shortest[1], f.longer[1] = bytesOf(q)
		}
	}
	return forms
}()

func bytesOf(frac int) (n numberBytes, shortest, longer uint32) {
	whole := 15 // where the digits before the point end
	shortest, longer = 2, 7
	for j := range n.from {
		n.from[j], n.span[j], n.place[j] = '0', 9, 0x80
	}
	if frac > 0 {
		whole = 14 - frac
		n.from[whole+1], n.span[whole+1] = '.', 0
		shortest = uint32(frac) + 3
		longer = min(17, uint32(frac)+10) - shortest
	}
	for k := range 8 {
		if at := whole - k; at >= 0 {
			n.place[7-k] = byte(at)
		}
		if k < frac {
			n.place[8+k] = byte(16 - frac + k)
		}
	}
	return n, shortest, longer
}

// levelsAVX512 reads both sides of a book, the first of which begins behind its
// bracket at base[from], into out, most levels at the most. It returns how many of
// them are bids and the index behind the bracket that closes the second side; -1 for
// what it does not take, which may still be sound. It looks at no byte from base[end]
// on and at none more than 16 bytes before base[from].
//
//go:noescape
func levelsAVX512(base *byte, from, end int, out *core.Level, most int, f *levelForm, between *gap) (bids, n, next int)

// layoutAVX512 reads the n bytes of a frame, layoutTail to layoutMax, by a layout: the
// decimals and integers by turns. It is false for a frame that is not so laid out,
// and looks at no byte behind it.
//
//go:noescape
func layoutAVX512(frame *byte, n int, l *layout, out *[8]int64) bool

// vectorSides reads both sides, or without a gap only one, which are then bids; next is -1 for what the scalar reader must look at.
func vectorSides(b []byte, i int, between *gap, lv []core.Level, frac, qfrac uint8) (bids, n, next int) {
	if i < 16 || len(b)-i < 8 || frac > 8 || qfrac > 8 {
		return 0, 0, -1
	}
	return levelsAVX512(unsafe.SliceData(b), i, len(b), unsafe.SliceData(lv), len(lv), &levelForms[frac][qfrac], between)
}
