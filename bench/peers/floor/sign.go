package floor

// #include "sign.h"
import "C"

import (
	"errors"
	"unsafe"
)

// HaveSHA reports whether the signatures are there: they need the processor's SHA
// instructions.
func HaveSHA() bool { return C.floor_sign_have() != 0 }

// Signer makes HMAC-SHA256 signatures in hex from kept midstates. One goroutine.
type Signer struct{ k C.struct_floor_key }

// NewSigner makes a signer of messages that begin with prefix, whose whole blocks are
// hashed beforehand; an empty one keeps only what the key gives. The key has at most
// 64 bytes.
func NewSigner(key, prefix []byte) (*Signer, error) {
	if !HaveSHA() {
		return nil, errors.New("needs a processor with SHA instructions")
	}
	if len(key) > 64 {
		return nil, errors.New("needs a key of at most 64 bytes")
	}
	var padded [64]byte
	copy(padded[:], key)
	s := new(Signer)
	C.floor_key_init(&s.k, (*C.uint8_t)(&padded[0]), (*C.uint8_t)(unsafe.SliceData(prefix)), C.uint64_t(len(prefix)))
	return s, nil
}

// Sign signs messages of length bytes each, one behind the other in msgs, and writes
// 64 hex digits of each to out, which must have room for them.
func (s *Signer) Sign(msgs []byte, length int, out []byte) {
	n := len(msgs) / length
	if n == 0 || n*length != len(msgs) || len(out) < 64*n || length < int(s.k.taken) {
		panic("BUG: messages do not have the length they should, or no room for their signatures")
	}
	C.floor_sign(&s.k, (*C.uint8_t)(&msgs[0]), C.uint64_t(length), C.uint64_t(length), C.uint64_t(n), (*C.uint8_t)(&out[0]))
}
