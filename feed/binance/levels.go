package binance

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"riposte/core"
)

// levelRoom is more than the longest level that the loop below reads,
// ["1234567.12345678","1234567.12345678"] and a byte behind it: inside of it
// nothing has to be looked at before it is loaded.
const levelRoom = 56

// at64 is the word at p; the caller knows that eight bytes are there.
func at64(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

func at32(p unsafe.Pointer, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, i))[:])
}

const (
	wordOpen  = '[' | '"'<<8           // ["
	wordComma = '"' | ','<<8 | '"'<<16 // ","
	wordNext  = '"' | ']'<<8 | ','<<16 // "],
	wordLast  = '"' | ']'<<8 | ']'<<16 // "]]
)

// fastLevels reads ["p","q"],["p","q"]] from behind the opening bracket into lv;
// next is -1 for anything else, or if lv is too short.
//
// Prices of one side nearly always have as many digits before the point as the
// one before them, so that is assumed and then checked: the addresses of what
// follows then do not wait for the count of the digits, which is most of the
// latency of a level.
func fastLevels(b []byte, i int, lv []core.Level) (n, next int) {
	if i < len(b) && b[i] == ']' {
		return 0, i + 1
	}
	digits := -1 // no count yet: the first one is always checked
	for n < len(lv) {
		if len(b)-i < levelRoom {
			return tailLevels(b, i, lv, n)
		}
		p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)
		if at32(p, 0)&0xffff != wordOpen {
			return 0, -1
		}
		whole := at64(p, 2) ^ zeros
		d := bits.TrailingZeros64(notDigits(whole)) >> 3
		if d != digits {
			if d == 0 || d > 7 {
				return 0, -1
			}
			digits = d
		}
		price := eight(whole<<(64-8*digits)) * core.Scale
		j := digits + 2
		if c := *(*byte)(unsafe.Add(p, j)); c == '.' {
			frac := at64(p, j+1) ^ zeros
			nd := notDigits(frac)
			j += 9
			if nd != 0 {
				e := bits.TrailingZeros64(nd) >> 3
				frac &= 1<<(8*e) - 1
				j += e - 8
				if e == 0 {
					return 0, -1
				}
			}
			price += eight(frac)
		}
		if at32(p, j)&0xffffff != wordComma {
			return 0, -1
		}
		j += 3
		whole = at64(p, j) ^ zeros
		d = bits.TrailingZeros64(notDigits(whole)) >> 3
		if d == 0 || d > 7 {
			return 0, -1
		}
		qty := eight(whole<<(64-8*d)) * core.Scale
		j += d
		if c := *(*byte)(unsafe.Add(p, j)); c == '.' {
			frac := at64(p, j+1) ^ zeros
			nd := notDigits(frac)
			j += 9
			if nd != 0 {
				e := bits.TrailingZeros64(nd) >> 3
				frac &= 1<<(8*e) - 1
				j += e - 8
				if e == 0 {
					return 0, -1
				}
			}
			qty += eight(frac)
		}
		lv[n] = core.Level{Price: core.Price(price), Qty: core.Qty(qty)}
		n++
		switch at32(p, j) & 0xffffff {
		case wordNext:
			i += j + 3
		case wordLast:
			return n, i + j + 3
		default:
			return 0, -1
		}
	}
	return 0, -1
}

// tailLevels goes on behind the first n levels, near the end of the frame.
func tailLevels(b []byte, i int, lv []core.Level, n int) (int, int) {
	for n < len(lv) {
		var price, qty int64
		if !lit(b, i, `["`) {
			return 0, -1
		}
		if price, i = decimal(b, i+2); i < 0 || !lit(b, i, `,"`) {
			return 0, -1
		}
		if qty, i = decimal(b, i+2); i < 0 || !lit(b, i, `]`) {
			return 0, -1
		}
		lv[n] = core.Level{Price: core.Price(price), Qty: core.Qty(qty)}
		n++
		switch {
		case lit(b, i, `],`):
			i += 2
		case lit(b, i, `]]`):
			return n, i + 2
		default:
			return 0, -1
		}
	}
	return 0, -1
}
