package binance

import (
	"encoding/binary"
	"math/bits"

	"riposte/core"
)

// Numbers are written eight digits at a time: a value below 1e8 is split into halves,
// quarters and digits inside one word, three multiplications in all and no division,
// and the word is stored whole. So every writer here needs eight bytes of room beyond
// what it writes; what it leaves there is overwritten by what comes next.

// digits8 is v, below 1e8, as eight digits from 0 to 9, the first in the lowest byte.
func digits8(v uint64) uint64 {
	// 109951163 / 2^40 is 1e-4 and a little more, exact for all v below 1e8; so are
	// 5243 / 2^19 for what is below 1e4 and 103 / 2^10 for what is below 100.
	hi := v * 109951163 >> 40
	x := hi | (v-hi*10000)<<32
	q := x * 5243 >> 19 & 0x7f_0000007f
	x = q | (x-q*100)<<16
	q = x * 103 >> 10 & 0x000f_000f_000f_000f
	return q | (x-q*10)<<8
}

const asciiZeros = 0x3030303030303030

// putDecimal writes v (above 0, units of 1e-8) as core.AppendDecimal does, a plain
// decimal without trailing zeros, and returns its length. dst has room for 28 bytes.
func putDecimal(dst []byte, v int64) int {
	u := uint64(v)
	whole := u / core.Scale
	n := putUint(dst, whole)
	frac := u - whole*core.Scale
	if frac == 0 {
		return n
	}
	dst[n] = '.'
	w := digits8(frac)
	binary.LittleEndian.PutUint64(dst[n+1:], w+asciiZeros)
	return n + 1 + 8 - bits.LeadingZeros64(w)/8
}

// putUint writes u in decimal and returns its length. dst has room for 28 bytes.
func putUint(dst []byte, u uint64) int {
	if u >= 1e8 {
		n := putUint(dst, u/1e8)
		binary.LittleEndian.PutUint64(dst[n:], digits8(u%1e8)+asciiZeros)
		return n + 8
	}
	w := digits8(u)
	zeros := min(bits.TrailingZeros64(w)/8, 7) // 0 has a digit too
	binary.LittleEndian.PutUint64(dst, (w+asciiZeros)>>(8*zeros))
	return 8 - zeros
}

// stampDigits is how long a timestamp in milliseconds is until the year 2286.
const stampDigits = 13

// putStamp writes ms, a time in milliseconds, over dst[:stampDigits].
func putStamp(dst []byte, ms uint64) {
	hi := ms / 1e8
	const lead = stampDigits - 8
	// Five digits and three bytes of what the next word brings.
	binary.LittleEndian.PutUint64(dst, (digits8(hi)+asciiZeros)>>(8*(8-lead)))
	binary.LittleEndian.PutUint64(dst[lead:], digits8(ms-hi*1e8)+asciiZeros)
}

// stampOf is t in milliseconds, cut: never ahead of the estimate.
func stampOf(t core.WallNs) uint64 { return uint64(t) / 1e6 }
