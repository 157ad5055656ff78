package binance

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"unsafe"
)

// An HMAC-SHA256 (RFC 2104) hashes the key twice before it hashes anything else, and
// all orders of a kind begin with the same bytes. Both are done once and the state of
// the hash in between is kept: the key's inner and outer block, a template's constant
// beginning, a rung's client id. What is left for an order is mostly two blocks, the
// end of the payload and the outer one, and a block costs what its chain of 64 rounds
// costs whatever one does.
//
// crypto/sha256 hands its state out and takes it back as 108 bytes of text, which
// costs more than a block, and crypto/hmac does not hand out its own at all. So the
// compression is here, in assembly where the processor has the SHA extensions; the
// standard library does the work where it has not, and the tests hold both against
// crypto/hmac.

// midstate is the state of a SHA-256 behind n bytes, whole blocks. Those of templates
// and drafts are inner ones: without the outer block's, which never leaves the vault,
// nothing can be signed with them. They are kept from fmt all the same.
type midstate struct {
	h [8]uint32
	n int
}

// of is how many bytes of the payload an HMAC's inner state stands for; the key's block
// comes before them.
func (m *midstate) of() int { return m.n - block }

const (
	block      = sha256.BlockSize
	hmacDigits = 2 * sha256.Size
)

var sha256Start = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// hmacSigner signs with HMAC-SHA256 and allocates nothing. The state is hidden from
// fmt behind a function, the way a Secret is.
type hmacSigner struct{ state func() *hmacState }

type hmacState struct {
	*hmacSecret
	slot *slot // where that lies
	soft softSHA
}

// hmacSecret is what lies in the vault.
type hmacSecret struct {
	inner, outer midstate // behind the key blocks
	last         [2 * block]byte
}

func newHMAC(secret []byte) *hmacSigner {
	s := &hmacState{slot: take(int(unsafe.Sizeof(hmacSecret{})))}
	s.hmacSecret = in[hmacSecret](s.slot)
	s.soft.init()
	var key, pad [block]byte
	if len(secret) > block {
		sum := sha256.Sum256(secret)
		copy(key[:], sum[:])
		clear(sum[:])
	} else {
		copy(key[:], secret)
	}
	after := func(x byte) (m midstate) {
		for i := range pad {
			pad[i] = key[i] ^ x
		}
		m = midstate{h: sha256Start}
		s.feed(&m, pad[:])
		return m
	}
	s.inner = after(0x36)
	s.outer = after(0x5c)
	clear(key[:])
	clear(pad[:])
	return &hmacSigner{func() *hmacState { return s }}
}

// Wipe makes the signer worthless: what it signs from now on is nonsense.
func (h *hmacSigner) Wipe() {
	s := h.state()
	s.slot.wipe()
	s.soft.wipe()
}

// Most is the length of every signature.
func (h *hmacSigner) Most() int { return hmacDigits }

// start is the state a payload begins with.
func (h *hmacSigner) start() midstate { return h.state().inner }

// feed takes the whole blocks of p into m and returns how many bytes they are.
func (h *hmacSigner) feed(m *midstate, p []byte) int { return h.state().feed(m, p) }

func (s *hmacState) feed(m *midstate, p []byte) int {
	n := len(p) / block
	if n == 0 {
		return 0
	}
	if hardware {
		blocksSHA(&m.h, &p[0], n)
	} else {
		s.soft.blocks(m, p[:n*block])
	}
	m.n += n * block
	return n * block
}

// appendFrom appends the 64 hex digits of the signature of what m stands for, followed
// by rest.
func (h *hmacSigner) appendFrom(dst []byte, m *midstate, rest []byte) []byte {
	at := len(dst)
	if cap(dst)-at < hmacDigits {
		dst = append(dst, make([]byte, hmacDigits)...)
	}
	dst = dst[:at+hmacDigits]
	h.state().sign((*[hmacDigits]byte)(dst[at:]), m, rest)
	return dst
}

func (s *hmacState) sign(out *[hmacDigits]byte, m *midstate, rest []byte) {
	if !hardware {
		s.soft.sign(out, m, &s.outer, rest)
		return
	}
	whole := len(rest) &^ (block - 1)
	tail := rest[whole:]
	// The padding: one bit, zeros, the length in bits at the end of a block.
	n := 1
	if len(tail) > block-9 {
		n = 2
	}
	last := &s.last
	end := last[:n*block]
	k := copy(end, tail)
	end[k] = 0x80
	clear(end[k+1 : len(end)-8])
	binary.BigEndian.PutUint64(end[len(end)-8:], uint64(m.n+len(rest))*8)
	from := &last[0]
	if whole > 0 {
		from = &rest[0]
	}
	signSHA(&out[0], &m.h, &s.outer.h, from, whole/block, &last[0], n)
}

// AppendREST appends 64 lower-case hex digits.
func (h *hmacSigner) AppendREST(dst, payload []byte) []byte {
	return h.appendFrom(dst, &h.state().inner, payload)
}

// AppendWS appends 64 lower-case hex digits.
func (h *hmacSigner) AppendWS(dst, payload []byte) []byte { return h.AppendREST(dst, payload) }

// softSHA is the same by the standard library: a kept digest that is given a state,
// bytes, and asked for its state or sum. It allocates nothing after init.
type softSHA struct {
	digest  hash.Hash
	restore encoding.BinaryUnmarshaler
	saved   encoding.BinaryAppender
	text    []byte
	sum     [sha256.Size]byte
}

// The standard library's text of a digest: a mark, the state, the bytes that make no
// whole block yet, how many bytes there were; its own golden tests pin it.
const (
	softMark = "sha\x03"
	softLen  = len(softMark) + sha256.Size + block + 8
)

func (s *softSHA) init() {
	s.digest = sha256.New()
	s.restore = s.digest.(encoding.BinaryUnmarshaler)
	s.saved = s.digest.(encoding.BinaryAppender)
	s.text = make([]byte, 0, softLen)
}

func (s *softSHA) wipe() {
	s.digest.Reset()
	clear(s.text[:cap(s.text)])
	clear(s.sum[:])
}

func (s *softSHA) load(m *midstate) {
	b := append(s.text[:0], softMark...)
	for _, w := range m.h {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	b = b[:softLen]
	clear(b[len(softMark)+sha256.Size:])
	binary.BigEndian.PutUint64(b[softLen-8:], uint64(m.n))
	s.text = b
	if err := s.restore.UnmarshalBinary(b); err != nil {
		panic("BUG: SHA-256 does not take its own state back: " + err.Error())
	}
}

// blocks takes whole blocks into m.h.
func (s *softSHA) blocks(m *midstate, p []byte) {
	s.load(m)
	s.digest.Write(p)
	b, err := s.saved.AppendBinary(s.text[:0])
	if err != nil {
		panic("BUG: SHA-256 cannot save its state: " + err.Error())
	}
	s.text = b
	for i := range m.h {
		m.h[i] = binary.BigEndian.Uint32(b[len(softMark)+4*i:])
	}
}

func (s *softSHA) sign(out *[hmacDigits]byte, mid, outer *midstate, rest []byte) {
	s.load(mid)
	s.digest.Write(rest)
	s.digest.Sum(s.sum[:0])
	s.load(outer)
	s.digest.Write(s.sum[:])
	s.digest.Sum(s.sum[:0])
	const digits = "0123456789abcdef"
	for i, c := range s.sum {
		out[2*i], out[2*i+1] = digits[c>>4], digits[c&15]
	}
}
