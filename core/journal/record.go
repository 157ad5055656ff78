package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Kind is what a record tells.
type Kind uint8

// The kinds of record; each is a struct of the same name here.
const (
	KindSessionStart Kind = iota + 1
	KindIntent
	KindSent
	KindReport
	KindRefusal
	KindMarket
	KindSnapshot
	KindHalt
	KindSessionEnd
	KindSegment
	KindChain
	KindNames
	KindPosition
	KindHolding
	KindOrder
	KindCheckpoint
	KindAudit
	KindLimit
	KindSignal
	KindMarkOut
	KindScore
	KindStrategies
	KindShare
	KindParam
	KindChoice
	KindRules
	KindAhead

	kinds // one past the last
)

var kindText = [kinds]string{"", "session start", "intent", "sent", "report", "refusal", "market", "snapshot", "halt", "session end",
	"segment", "chain", "names", "position", "holding", "order", "checkpoint", "audit", "limit", "signal", "mark-out", "score",
	"strategies", "share", "param", "choice", "rules", "ahead"}

func (k Kind) String() string {
	if k == 0 || k >= kinds {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindText[k]
}

const (
	headerLen = 18
	minLength = headerLen - 8
	// PayloadMax is the most bytes a payload may have: a snapshot of 5000 levels a
	// side takes 160 kB.
	PayloadMax = 1 << 20
)

// Record is one record as it lies in a journal.
type Record struct {
	Seq     uint64
	Kind    Kind
	Version uint8
	Payload []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends the record's bytes to dst and returns the longer slice. Hot
// code appends the typed payloads below, which do the same without a copy.
func Append(dst []byte, rec *Record) []byte {
	dst, at := begin(dst, rec.Seq, rec.Kind, rec.Version)
	return seal(append(dst, rec.Payload...), at)
}

// open starts a record of the kind's newest layout.
func open(dst []byte, seq uint64, k Kind) (out []byte, at int) {
	return begin(dst, seq, k, newest[k])
}

// begin starts a record: header now, length and checksum when it is sealed.
func begin(dst []byte, seq uint64, k Kind, version uint8) (out []byte, at int) {
	at = len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, seq)
	return append(dst, byte(k), version), at
}

func seal(dst []byte, at int) []byte {
	rec := dst[at:]
	if len(rec) > headerLen+PayloadMax {
		panic(fmt.Sprintf("BUG: journal payload has %d bytes, want at most %d", len(rec)-headerLen, PayloadMax))
	}
	binary.LittleEndian.PutUint32(rec, uint32(len(rec)-8))
	binary.LittleEndian.PutUint32(rec[4:], checksum(rec))
	return dst
}

// checksum is that of a whole record's bytes.
func checksum(rec []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, rec[:4]), castagnoli, rec[8:])
}

// size is the whole length of the record that starts with header, 0 if it cannot
// be one.
func size(header []byte) int {
	n := binary.LittleEndian.Uint32(header)
	k, v := Kind(header[16]), header[17]
	if n < minLength || n > minLength+PayloadMax || k == 0 || v == 0 {
		return 0
	}
	return int(n) + 8
}

func valid(rec []byte) bool { return binary.LittleEndian.Uint32(rec[4:]) == checksum(rec) }
