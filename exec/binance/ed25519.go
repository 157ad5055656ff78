package binance

import (
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"unsafe"

	"filippo.io/edwards25519"
)

// crypto/ed25519 signs with a key on the Go heap and keeps an expanded copy of it in a
// cache that nobody can wipe. So the few lines of RFC 8032 section 5.1.6 are here, over
// the arithmetic that crypto/ed25519 itself is made of, as its author publishes it, and
// all that is secret stays in the vault. The tests hold it against crypto/ed25519, which
// gives the same signature for the same key and text.

const (
	edSize       = 32
	edSignature  = 2 * edSize
	edDigits     = 88 // of its base64
	edDigitsMost = 3 * edDigits
)

// edSigner is pure Ed25519, base64. It allocates nothing; its cost is in the curve.
type edSigner struct{ state func() *edState }

type edState struct {
	*edSecret
	slot *slot
	hash hash.Hash
	text [edDigits]byte
}

// edSecret is what lies in the vault: the key, and what a signature under way knows.
type edSecret struct {
	scalar, nonce, challenge edwards25519.Scalar
	prefix                   [edSize]byte
	public                   [edSize]byte
	sum                      [sha512.Size]byte
	signature                [edSignature]byte
}

// newEd makes a signer from a seed of 32 bytes.
func newEd(seed []byte) (*edSigner, error) {
	if len(seed) != edSize {
		return nil, errors.New("seed of an Ed25519 key is not 32 bytes long")
	}
	s := &edState{slot: take(int(unsafe.Sizeof(edSecret{}))), hash: sha512.New()}
	s.edSecret = in[edSecret](s.slot)
	s.hash.Write(seed)
	h := s.digest()
	if _, err := s.scalar.SetBytesWithClamping(h[:edSize]); err != nil {
		return nil, err
	}
	copy(s.prefix[:], h[edSize:])
	copy(s.public[:], new(edwards25519.Point).ScalarBaseMult(&s.scalar).Bytes())
	return &edSigner{func() *edState { return s }}, nil
}

var zeros [sha512.BlockSize]byte

// digest ends the hash and leaves nothing of its input in the hash's own memory.
func (s *edState) digest() []byte {
	h := s.hash.Sum(s.sum[:0])
	s.hash.Reset()
	s.hash.Write(zeros[:1])
	s.hash.Write(zeros[1:]) // fills the hash's buffer; a whole block would go round it
	s.hash.Reset()
	return h
}

// reduce sets r to the hash modulo the group's order.
func (s *edState) reduce(r *edwards25519.Scalar) {
	if _, err := r.SetUniformBytes(s.digest()); err != nil {
		panic("BUG: a SHA-512 sum is not 64 bytes long: " + err.Error())
	}
}

func (s *edState) sign(payload []byte) []byte {
	s.hash.Write(s.prefix[:])
	s.hash.Write(payload)
	s.reduce(&s.nonce)
	copy(s.signature[:], new(edwards25519.Point).ScalarBaseMult(&s.nonce).Bytes())
	s.hash.Write(s.signature[:edSize])
	s.hash.Write(s.public[:])
	s.hash.Write(payload)
	s.reduce(&s.challenge)
	s.challenge.MultiplyAdd(&s.challenge, &s.scalar, &s.nonce)
	copy(s.signature[edSize:], s.challenge.Bytes())
	base64.StdEncoding.Encode(s.text[:], s.signature[:])
	return s.text[:]
}

// AppendREST appends the base64 signature, percent-encoded.
func (e *edSigner) AppendREST(dst, payload []byte) []byte {
	return appendEscaped(dst, e.state().sign(payload))
}

// AppendWS appends the base64 signature as it is.
func (e *edSigner) AppendWS(dst, payload []byte) []byte {
	return append(dst, e.state().sign(payload)...)
}

// Most is a signature of which every character needs escaping.
func (e *edSigner) Most() int { return edDigitsMost }

// Wipe makes the signer worthless.
func (e *edSigner) Wipe() { e.state().slot.wipe() }
