package floor

// #include "parse.h"
import "C"

import (
	"errors"
	"math"
	"unsafe"
)

// Kind is a kind of frame: spot's, in the combined wrapper, as the venue sends them.
type Kind int

// The kinds, with what is decoded of each.
const (
	Touch Kind = iota // update id, bid, its quantity, ask, its quantity
	Trade             // id, price, quantity, time as sent, 1 if the buyer was the maker
	Depth             // first and last update id, how many bids and asks, then prices and quantities
)

// Frames are some of one kind, one behind the other in memory of their own, as C
// wants them.
type Frames struct {
	bytes   []byte
	ends    []C.uint32_t
	longest int
}

// NewFrames copies a list of frames.
func NewFrames(list [][]byte) (*Frames, error) {
	f := new(Frames)
	for _, b := range list {
		if len(b) > math.MaxUint16 {
			return nil, errors.New("cannot take a frame of more than 65535 bytes")
		}
		f.bytes = append(f.bytes, b...)
		f.ends = append(f.ends, C.uint32_t(len(f.bytes)))
		f.longest = max(f.longest, len(b))
	}
	if len(list) == 0 {
		return nil, errors.New("cannot take no frames")
	}
	return f, nil
}

// Room is how many integers the longest of the frames can give.
func (f *Frames) Room() int { return 16 + f.longest/4 }

// HaveParse is nil, or why Parse cannot be used here.
func HaveParse() error {
	if C.floor_vectors() == 0 {
		return errors.New("needs a processor with AVX-512, VBMI and VBMI2, and a C compiler that knows it")
	}
	return nil
}

// Parse decodes all frames in one call, with AVX-512, and returns a checksum; out,
// which must have Room, takes the last one's integers. Frames must be sound.
func Parse(kind Kind, f *Frames, out []int64) uint64 {
	_ = out[f.Room()-1]
	return uint64(C.floor_parse(C.int(kind), (*C.char)(ptr(f.bytes)), &f.ends[0], C.int(len(f.ends)), (*C.int64_t)(&out[0])))
}

// Plain is Parse without vectors, a digit at a time.
func Plain(kind Kind, f *Frames, out []int64) uint64 {
	_ = out[f.Room()-1]
	return uint64(C.floor_plain(C.int(kind), (*C.char)(ptr(f.bytes)), &f.ends[0], C.int(len(f.ends)), (*C.int64_t)(&out[0])))
}

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
