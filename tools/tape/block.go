package tape

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A recording of ours is a row of blocks, each written by one call. A block is two
// zstd frames: a skippable one that holds its header, and one with whole lines of the
// tape's text form and a checksum of them. So every zstd tool reads a recording, and
// ours knows before it decompresses anything where a block ends and whether it is all
// there: a process that dies loses the block it was filling and no other.
//
//	offset  bytes  of the header's frame, little endian
//	0       4      0x184D2A52, zstd's mark of a skippable frame
//	4       4      40, the length of what follows
//	8       4      "RTB1"
//	12      4      bytes of the data frame
//	16      4      bytes of its lines
//	20      4      number of lines
//	24      8      number of the block, from 0
//	32      8      receive time of the first line, Unix ns, 0: none
//	40      4      reserved, 0
//	44      4      CRC-32C of bytes 0 to 43
const (
	skippable   = 0x184D2A52
	headerSize  = 48
	headerBody  = headerSize - 8
	blockMark   = "RTB1"
	blockMost   = 96 << 20 // bytes of lines in a block, more than the longest line
	blockTarget = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type header struct {
	packed, raw, lines uint32
	number             uint64
	first              int64
}

func (h *header) append(dst []byte) []byte {
	at := len(dst)
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, skippable)
	dst = le.AppendUint32(dst, headerBody)
	dst = append(dst, blockMark...)
	dst = le.AppendUint32(dst, h.packed)
	dst = le.AppendUint32(dst, h.raw)
	dst = le.AppendUint32(dst, h.lines)
	dst = le.AppendUint64(dst, h.number)
	dst = le.AppendUint64(dst, uint64(h.first))
	dst = le.AppendUint32(dst, 0)
	return le.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func (h *header) read(b []byte) error {
	le := binary.LittleEndian
	switch {
	case le.Uint32(b) != skippable || le.Uint32(b[4:]) != headerBody || string(b[8:12]) != blockMark:
		return fmt.Errorf("begins with % x, want the header of a block", b[:12])
	case le.Uint32(b[44:]) != crc32.Checksum(b[:44], castagnoli):
		return fmt.Errorf("has checksum %08x in its header, want %08x", le.Uint32(b[44:]), crc32.Checksum(b[:44], castagnoli))
	}
	*h = header{packed: le.Uint32(b[12:]), raw: le.Uint32(b[16:]), lines: le.Uint32(b[20:]), number: le.Uint64(b[24:]), first: int64(le.Uint64(b[32:]))}
	if h.raw > blockMost || h.packed > blockMost {
		return fmt.Errorf("says it holds %d bytes in %d, want at most %d", h.raw, h.packed, blockMost)
	}
	return nil
}

// blocks reads the lines of a recording. It is an io.Reader of their text.
type blocks struct {
	src    *bufio.Reader
	zstd   *zstd.Decoder
	packed []byte
	text   []byte // of the present block, not read yet
	lines  []byte // its memory
	number uint64
	at     int64 // where the present block begins
	next   int64
	cut    int64 // bytes of a last block that is not whole
}

func newBlocks(src *bufio.Reader) (*blocks, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(blockMost))
	if err != nil {
		return nil, err
	}
	return &blocks{src: src, zstd: z}, nil
}

func (b *blocks) Read(p []byte) (int, error) {
	for len(b.text) == 0 {
		if err := b.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

// block reads the next block; io.EOF at the end, also where the last one is cut off.
func (b *blocks) block() error {
	b.at = b.next
	var head [headerSize]byte
	n, err := io.ReadFull(b.src, head[:])
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.cut = int64(n)
		return io.EOF
	case err != nil:
		return err
	}
	var h header
	if err := h.read(head[:]); err != nil {
		return b.bad("%w", err)
	}
	if h.number != b.number {
		return b.bad("is number %d, want %d: blocks are missing or doubled", h.number, b.number)
	}
	if cap(b.packed) < int(h.packed) {
		b.packed = make([]byte, h.packed)
	}
	n, err = io.ReadFull(b.src, b.packed[:h.packed])
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		b.cut = int64(headerSize + n)
		return io.EOF
	case err != nil:
		return err
	}
	if cap(b.lines) < int(h.raw) {
		b.lines = make([]byte, 0, h.raw)
	}
	text, err := b.zstd.DecodeAll(b.packed[:h.packed], b.lines[:0])
	if err != nil {
		return b.bad("cannot be decompressed: %w", err)
	}
	if len(text) != int(h.raw) {
		return b.bad("holds %d bytes of lines, want %d", len(text), h.raw)
	}
	b.lines, b.text = text, text
	b.number++
	b.next += int64(headerSize) + int64(h.packed)
	return nil
}

func (b *blocks) bad(got string, args ...any) error {
	return fmt.Errorf("block %d at byte %d "+got, append([]any{b.number, b.at}, args...)...)
}

// Close lets go of the decompressor.
func (b *blocks) Close() error {
	b.zstd.Close()
	return nil
}
