package binance

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON as RFC 8259 has it, without building anything: each function takes the
// index where something starts and returns the index behind it, or -1 if it is
// not there in legal form. Bytes inside strings are not checked to be UTF-8.

// maxNesting is how deep objects and arrays may lie in each other; the venue's
// deepest payload has 6.
const maxNesting = 64

func skipWS(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString passes the string whose opening quote is b[i]; escaped tells
// whether it holds a backslash.
func skipString(b []byte, i int) (next int, escaped bool) {
	i++
	for {
		w := word(b, i)
		// A quote, a backslash, or a control character (which ends the lawful).
		m := marks(w, '"') | marks(w, '\\') | (w-0x20*each01)&^w&each80
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		if i >= len(b) {
			return -1, escaped
		}
		switch b[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			if i+1 >= len(b) {
				return -1, true
			}
			switch b[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if _, ok := hex4(b, i+2); !ok {
					return -1, true
				}
				i += 6
			default:
				return -1, true
			}
		default:
			return -1, escaped
		}
	}
}

func hex4(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	return hexRune(b[i : i+4])
}

// hexRune is the value of hexadecimal digits.
func hexRune(b []byte) (r rune, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendUnescaped appends the text that s, the inside of a legal JSON string,
// stands for. Half of a surrogate pair stays as it was written.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(s, i)
			if utf16.IsSurrogate(r) {
				second, ok := rune(0), false
				if i+6 <= len(s) && s[i+4] == '\\' && s[i+5] == 'u' {
					second, ok = hex4(s, i+6)
				}
				if !ok {
					dst = append(dst, s[i-2:i+4]...)
					i += 4
					continue
				}
				r = utf16.DecodeRune(r, second)
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			i += 4
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) {
		nd := notDigits(word(b, i) ^ zeros)
		if nd != 0 {
			i += bits.TrailingZeros64(nd) >> 3
			break
		}
		i += 8
	}
	if i == from {
		return -1
	}
	return i
}

func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	from := i
	if i = skipDigits(b, i); i < 0 || (b[from] == '0' && i > from+1) {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = skipDigits(b, i); i < 0 {
			return -1
		}
	}
	return i
}

// skipKey passes a key, its colon and the white space around them.
func skipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	i, _ = skipString(b, i)
	if i < 0 {
		return -1
	}
	if i = skipWS(b, i); i >= len(b) || b[i] != ':' {
		return -1
	}
	return skipWS(b, i+1)
}

// skipScalar passes anything that is not an object or array.
func skipScalar(b []byte, i int) int {
	switch b[i] {
	case '"':
		i, _ = skipString(b, i)
		return i
	case 't':
		if lit(b, i, "true") {
			return i + 4
		}
	case 'f':
		if lit(b, i, "false") {
			return i + 5
		}
	case 'n':
		if lit(b, i, "null") {
			return i + 4
		}
	default:
		return skipNumber(b, i)
	}
	return -1
}

// skipValue passes the value that starts at b[i] and lies inside depth objects
// and arrays. What is open above them is one bit each: 1 for an object.
func skipValue(b []byte, i, depth int) int {
	base := depth
	var open uint64
	for i >= 0 && i < len(b) {
		switch c := b[i]; c {
		case '{', '[':
			if depth++; depth > maxNesting {
				return -1
			}
			open <<= 1
			if c == '{' {
				open |= 1
			}
			if i = skipWS(b, i+1); i >= len(b) {
				return -1
			}
			if b[i] != c+2 { // '}' and ']' stand two behind their openers
				if c == '{' {
					i = skipKey(b, i)
				}
				continue
			}
			depth--
			open >>= 1
			i++
		default:
			if i = skipScalar(b, i); i < 0 {
				return -1
			}
		}
		// A value is complete: close what it closes.
		for {
			if depth == base {
				return i
			}
			if i = skipWS(b, i); i >= len(b) {
				return -1
			}
			if b[i] == ',' {
				i = skipWS(b, i+1)
				if open&1 == 1 {
					i = skipKey(b, i)
				}
				break
			}
			if (open&1 == 1) != (b[i] == '}') || (open&1 == 0) != (b[i] == ']') {
				return -1
			}
			depth--
			open >>= 1
			i++
		}
	}
	return -1
}
