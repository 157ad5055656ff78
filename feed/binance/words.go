package binance

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"riposte/core"
)

// Eight bytes at a time. A frame's first byte is a word's lowest, so "before"
// in the frame is "below" in the word.

const (
	each01 = 0x0101010101010101
	each80 = 0x8080808080808080
	zeros  = '0' * each01
)

// at64 is the word at p+i; the caller knows that eight bytes are there.
func at64(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

func at32(p unsafe.Pointer, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, i))[:])
}

func at16(p unsafe.Pointer, i int) uint16 {
	return binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(p, i))[:])
}

// word is the eight bytes at b[i:]; those behind the end read as zero bytes,
// which are neither digits nor anything else that is looked for.
func word(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	return tailWord(b, i)
}

// tailWord is word where it reaches behind the end: the last eight bytes, shifted.
//
//go:noinline
func tailWord(b []byte, i int) uint64 {
	over := uint(i + 8 - len(b))
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b[len(b)-8:]) >> (8 * over)
	}
	var w uint64
	for k := len(b) - 1; k >= i; k-- {
		w = w<<8 | uint64(b[k])
	}
	return w
}

// notDigits marks with bit 7 each byte of t that is above 9, exactly up to and
// including the lowest mark (a carry can only disturb the ones above it). t is
// text xor zeros.
func notDigits(t uint64) uint64 { return ((t + 0x7676767676767676) | t) & each80 }

// marks has bit 7 set in the bytes of w that equal c, exactly up to and
// including the lowest mark.
func marks(w uint64, c byte) uint64 {
	x := w ^ uint64(c)*each01
	return (x - each01) &^ x & each80
}

// eight is the value of eight digits, each one byte 0..9, first digit lowest:
// pairs, then fours, then the whole, three multiplications.
func eight(t uint64) uint64 {
	t = t*10 + t>>8
	const m = 0x000000ff000000ff
	return ((t&m)*(100+1000000<<32) + (t>>16&m)*(1+10000<<32)) >> 32
}

var pow10 = [9]uint64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000}

// roomy is how many bytes from a number's first the readers below want to be able
// to load without looking where the frame ends.
const roomy = 24

// decimal reads the decimal that starts at b[i] and ends before a quote, as
// core.ParseDecimal does, and returns the index behind that quote. It is -1 for
// anything but 1 to 7 digits, or those, a point and 1 to 8 digits: such text may
// still be a legal number, but not one for the fast road.
func decimal(b []byte, i int) (int64, int) {
	if len(b)-i < roomy {
		return tailDecimal(b, i)
	}
	p := (*[roomy]byte)(b[i:])
	t := binary.LittleEndian.Uint64(p[:]) ^ zeros
	nd := notDigits(t)
	d := bits.TrailingZeros64(nd) >> 3 & 15
	if d-1 > 6 || d < 1 { // none, or eight and more
		return 0, -1
	}
	v := eight(t<<(64-8*d)) * core.Scale
	if p[d] != '.' {
		if p[d] != '"' {
			return 0, -1
		}
		return int64(v), i + d + 1
	}
	t = binary.LittleEndian.Uint64(p[d+1:d+9]) ^ zeros
	nd = notDigits(t)
	if nd == 0 {
		if p[d+9] != '"' {
			return 0, -1
		}
		return int64(v + eight(t)), i + d + 10
	}
	e := bits.TrailingZeros64(nd) >> 3 & 7
	// Digits that are not there are the zeros behind the point.
	v += eight(t & (1<<(8*e) - 1))
	if e == 0 || p[d+1+e] != '"' {
		return 0, -1
	}
	return int64(v), i + d + e + 2
}

// sepRoom is how many bytes decimals wants to be able to load from a number's
// first: 7 digits, a point, 8 digits, what separates it from the next, and one.
const sepRoom = 25

const wordSep = '"' | ','<<8 | '"'<<16 | '"'<<32 | ':'<<40 | '"'<<48 // ","?":"

// decimals reads len(keys)+1 decimals that start at b[i] and are separated by
// one-letter keys, as in 1.5","B":"2", into out. It returns the index behind the
// last one's quote, -1 if anything is not so.
func decimals(b []byte, i int, keys string, out []int64) int {
	for k := range out {
		if len(b)-i < sepRoom {
			return tailDecimals(b, i, keys, out, k)
		}
		p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)
		t := at64(p, 0) ^ zeros
		nd := notDigits(t)
		d := bits.TrailingZeros64(nd) >> 3 & 15 // 8 of none
		if d-1 > 6 || d < 1 {
			return longDecimals(b, i, keys, out, k)
		}
		v := eight(t<<((64-8*d)&63)) * core.Scale
		j := d
		if *(*byte)(unsafe.Add(p, d)) == '.' {
			t = at64(p, d+1) ^ zeros
			nd = notDigits(t)
			j += 9
			if nd != 0 {
				e := bits.TrailingZeros64(nd) >> 3 & 7
				// Digits that are not there are the zeros behind the point.
				t &= 1<<(8*e) - 1
				j += e - 8
				if e == 0 {
					return -1
				}
			}
			v += eight(t)
		}
		out[k] = int64(v)
		if k >= len(keys) {
			if *(*byte)(unsafe.Add(p, j)) != '"' {
				return -1
			}
			return i + j + 1
		}
		if at64(p, j)<<8 != (wordSep|uint64(keys[k])<<24)<<8 {
			return -1
		}
		i += j + 7
	}
	return -1
}

// tailDecimals goes on with the k-th, near the end of the frame.
func tailDecimals(b []byte, i int, keys string, out []int64, k int) int {
	for ; k < len(out); k++ {
		from := i
		if out[k], i = tailDecimal(b, i); i < 0 {
			return longDecimals(b, from, keys, out, k)
		}
		if k >= len(keys) {
			return i
		}
		if word(b, i-1)<<8 != (wordSep|uint64(keys[k])<<24)<<8 {
			return -1
		}
		i += 6
	}
	return -1
}

// longDecimals goes on with the k-th, which has many digits, as sums over a day
// have.
func longDecimals(b []byte, i int, keys string, out []int64, k int) int {
	end := i
	for end < len(b) && (b[end]-'0' <= 9 || b[end] == '.') {
		end++
	}
	if end >= len(b) || b[end] != '"' {
		return -1
	}
	v, err := core.ParseDecimal(b[i:end])
	if err != nil {
		return -1
	}
	out[k] = v
	if k >= len(keys) {
		return end + 1
	}
	if word(b, end)<<8 != (wordSep|uint64(keys[k])<<24)<<8 {
		return -1
	}
	return decimals(b, end+7, keys[k+1:], out[k+1:])
}

// tailDecimal is decimal for a number near the end of the frame.
func tailDecimal(b []byte, i int) (int64, int) {
	t := word(b, i) ^ zeros
	d := bits.TrailingZeros64(notDigits(t)) >> 3
	if d == 0 || d > 7 {
		return 0, -1
	}
	v := eight(t<<(64-8*d)) * core.Scale
	i += d
	if i >= len(b) {
		return 0, -1
	}
	if b[i] == '.' {
		t = word(b, i+1) ^ zeros
		i += 9
		if nd := notDigits(t); nd != 0 {
			e := bits.TrailingZeros64(nd) >> 3
			if e == 0 {
				return 0, -1
			}
			t &= 1<<(8*e) - 1
			i += e - 8
		}
		v += eight(t)
	}
	if i >= len(b) || b[i] != '"' {
		return 0, -1
	}
	return int64(v), i + 1
}

// number reads the JSON integer, zero or above, that starts at b[i], and returns
// the index behind it; -1 for a sign, a leading zero or more than 16 digits. What
// follows is not looked at.
func number(b []byte, i int) (int64, int) {
	if len(b)-i < roomy {
		return tailNumber(b, i)
	}
	p := (*[roomy]byte)(b[i:])
	t := binary.LittleEndian.Uint64(p[:]) ^ zeros
	nd := notDigits(t)
	if nd != 0 {
		d := bits.TrailingZeros64(nd) >> 3
		if d == 0 || (t&0xff == 0 && d > 1) {
			return 0, -1
		}
		return int64(eight(t << (64 - 8*d))), i + d
	}
	if t&0xff == 0 {
		return 0, -1
	}
	v := eight(t)
	t = binary.LittleEndian.Uint64(p[8:]) ^ zeros
	nd = notDigits(t)
	if nd == 0 {
		if p[16]-'0' <= 9 {
			return 0, -1
		}
		return int64(v*pow10[8] + eight(t)), i + 16
	}
	d := bits.TrailingZeros64(nd) >> 3 & 7
	return int64(v*pow10[d] + eight(t<<(64-8*d))), i + d + 8
}

// tailNumber is number near the end of the frame.
func tailNumber(b []byte, i int) (int64, int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	var p [2 * roomy]byte
	copy(p[:], b[i:])
	v, next := number(p[:], 0)
	if next < 0 {
		return 0, -1
	}
	return v, i + next
}

// nanoseconds is a venue time in units of unit ns, of which an int64 holds max; ok
// is false if it is negative or does not fit.
func nanoseconds(v, unit, max int64) (ns int64, ok bool) {
	return v * unit, uint64(v) <= uint64(max)
}

// lit reports whether b[i:] starts with s. i is at least 0.
func lit(b []byte, i int, s string) bool {
	return len(b)-i >= len(s) && string(b[i:i+len(s)]) == s
}
