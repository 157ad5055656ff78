package binance

import (
	"bytes"
	"unsafe"

	"riposte/core"
)

const (
	wordSplit = '"' | ','<<8                     // ",
	wordNext  = '"' | ']'<<8 | ','<<16 | '['<<24 // "],[
	wordLast  = '"' | ']'<<8 | ']'<<16           // "]]
)

// numberForm is what a number of digits before and frac behind the point looks
// like in the word that ends with its point, or if it has none with the quote that
// closes it: the opening quote, the digits, and that last byte.
type numberForm struct {
	want uint64 // the word, each digit a zero
	care uint64 // the bytes that are looked at
	add  uint64 // moves a wrong byte past 0x7f: 0x76 for a digit, 0x7f for others
}

// forms by whether there is a point and digits before it. Seven digits push the
// opening quote out of the word and have none.
var forms = func() (f [2][8]numberForm) {
	for dot := range 2 {
		for digits := 1; digits <= formDigits; digits++ {
			x := &f[dot][digits]
			last := uint64('"')
			if dot == 1 {
				last = '.'
			}
			x.want, x.care, x.add = last<<56, 0xff<<56, 0x7f<<56
			for k := 7 - digits; k < 7; k++ {
				x.want |= '0' << (8 * k)
				x.care |= 0xff << (8 * k)
				x.add |= 0x76 << (8 * k)
			}
			k := 6 - digits
			x.want |= '"' << (8 * k)
			x.care |= 0xff << (8 * k)
			x.add |= 0x7f << (8 * k)
		}
	}
	return f
}()

const (
	formDigits = 6
	// behindForm is how far loads reach behind a level's last quote.
	behindForm = 12
)

// form is the text of one level, as far as lengths go.
type form struct {
	whole, frac   int // digits of the price
	qwhole, qfrac int // and of the quantity
}

func (f *form) fixed() bool {
	return f.whole <= formDigits && f.qwhole <= formDigits && f.frac <= 8 && f.qfrac <= 8
}

// fastLevels reads ["p","q"],["p","q"]] from behind the opening bracket into lv;
// next is -1 for anything else, or if lv is too short.
//
// One side's levels nearly always look alike, so a level's form is taken from the
// one before it, and whether that was right is found out while the numbers are
// computed: nothing waits for a count of digits.
func fastLevels(b []byte, i int, lv []core.Level) (n, next int) {
	base := unsafe.Pointer(unsafe.SliceData(b))
	if i < 8 {
		return 0, -1
	}
	for n < len(lv) {
		var f form
		var end uint32
		if lv[n], i, end = measured(b, i, &f); i < 0 {
			return 0, -1
		}
		n++
		if end&0xffffff == wordLast {
			return n, i
		}
		if end != wordNext {
			return 0, -1
		}
		if !f.fixed() {
			continue
		}
		// Where things stand, from the level's bracket.
		dot := 2 + f.whole
		split := dot
		keep := uint64(0)
		pf := &forms[0][f.whole]
		if f.frac > 0 {
			split += f.frac + 1
			keep = ^uint64(0) >> (64 - 8*f.frac)
			pf = &forms[1][f.whole]
		}
		qdot := split + 3 + f.qwhole
		last := qdot
		qkeep := uint64(0)
		qf := &forms[0][f.qwhole]
		if f.qfrac > 0 {
			last += f.qfrac + 1
			qkeep = ^uint64(0) >> (64 - 8*f.qfrac)
			qf = &forms[1][f.qwhole]
		}
		stride := last + 3
		most := min(len(lv)-n, (len(b)-i-behindForm+3)/stride)
		read := strided(unsafe.Add(base, i), lv[n:], most, pf, qf, keep, qkeep, [4]int{dot, qdot, split, last})
		if read == 0 {
			continue
		}
		n += read
		i += read * stride
		end = at32(base, i-3)
		if end&0xffffff == wordLast {
			return n, i
		}
		if end != wordNext {
			return 0, -1
		}
	}
	return 0, -1
}

// strided reads up to most levels of one form into lv, the first of which is at first.
// It stops behind the last of the side, and before one that is not of that form.
func strided(first unsafe.Pointer, lv []core.Level, most int, pf, qf *numberForm, keep, qkeep uint64, at [4]int) (n int) {
	dot, qdot, split, last := at[0], at[1], at[2], at[3]
	want, care, add := pf.want, pf.care, pf.add
	qwant, qcare, qadd := qf.want, qf.care, qf.add
	out := unsafe.Pointer(unsafe.SliceData(lv))
	for ; n < most; n++ {
		p := unsafe.Add(first, n*(last+3))
		w := (at64(p, dot-7) ^ want) & care
		bad := (w + add) | w
		v := eight(w<<8) * core.Scale
		w = (at64(p, dot+1) ^ zeros) & keep
		bad |= (w + 0x7676767676767676) | w
		v += eight(w)
		w = (at64(p, qdot-7) ^ qwant) & qcare
		bad |= (w + qadd) | w
		q := eight(w<<8) * core.Scale
		w = (at64(p, qdot+1) ^ zeros) & qkeep
		bad |= (w + 0x7676767676767676) | w
		if bad&each80|uint64(at16(p, split)^wordSplit) != 0 {
			return n
		}
		l := (*core.Level)(unsafe.Add(out, uintptr(n)*unsafe.Sizeof(core.Level{})))
		l.Price, l.Qty = core.Price(v), core.Qty(q+eight(w))
		if at32(p, last) != wordNext {
			return n + 1
		}
	}
	return n
}

// measured reads the level at b[i] whatever its form, which it tells; end is the
// four bytes from the last quote on, and next the index of the last of them.
func measured(b []byte, i int, f *form) (l core.Level, next int, end uint32) {
	if !lit(b, i, `["`) {
		return l, -1, 0
	}
	var price, qty int64
	if price, i = numberOf(b, i+2, &f.whole, &f.frac); i < 0 || !lit(b, i, `,"`) {
		return l, -1, 0
	}
	if qty, i = numberOf(b, i+2, &f.qwhole, &f.qfrac); i < 0 {
		return l, -1, 0
	}
	return core.Level{Price: core.Price(price), Qty: core.Qty(qty)}, i + 2, uint32(word(b, i-1))
}

// numberOf reads a decimal and the quote behind it, and how many digits it has
// before and behind its point.
func numberOf(b []byte, i int, whole, frac *int) (int64, int) {
	v, next := decimal(b, i)
	if next < 0 {
		// Too long for that, or not one.
		n := bytes.IndexByte(b[i:min(i+40, len(b))], '"')
		if n < 0 {
			return 0, -1
		}
		var err error
		if v, err = core.ParseDecimal(b[i : i+n]); err != nil {
			return 0, -1
		}
		next = i + n + 1
	}
	dot := bytes.IndexByte(b[i:next-1], '.')
	if dot < 0 {
		*whole, *frac = next-1-i, 0
	} else {
		*whole, *frac = dot, next-2-i-dot
	}
	return v, next
}
