package exec

import (
	"fmt"
	"strings"

	"riposte/core"
)

// Client order ids are <prefix>-<epoch>-<sequence>: the prefix from the config,
// the run's epoch in seven and the sequence in eight lower-case base 36 digits.
// The widths are fixed so that an id can be patched in place and told from
// another's by length alone. The epoch makes ids of two runs differ even when the
// first left no trace.
//
//	rp-t8kq2c1-0000002f
const (
	epochDigits = 7
	epochMax    = 36*36*36*36*36*36*36 - 1
	// SeqDigits is the width of the sequence in a client id.
	SeqDigits = 8
	prefixMax = 36 - epochDigits - SeqDigits - 2
)

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

// Owner is whose a client id is.
type Owner uint8

// The owners. OtherRun is our prefix with another epoch: a former run, or a twin.
const (
	Foreign Owner = iota
	OtherRun
	Ours
)

// IDs makes and reads client order ids. One goroutine calls Next; Parse and
// Append only read.
type IDs struct {
	head  string // "<prefix>-<epoch>-"
	tag   int    // length of "<prefix>-"
	epoch uint64
	next  uint64
}

// NewIDs makes ids for one run; see core.EpochAfter. The prefix is 1 to 19 of a-z, A-Z, 0-9
// and _.
func NewIDs(prefix string, epoch uint64) (*IDs, error) {
	if len(prefix) == 0 || len(prefix) > prefixMax {
		return nil, fmt.Errorf("cannot use client id prefix %q: it has %d characters, want 1 to %d", prefix, len(prefix), prefixMax)
	}
	if i := strings.IndexFunc(prefix, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	}); i >= 0 {
		return nil, fmt.Errorf("cannot use client id prefix %q: found %q, want only a-z, A-Z, 0-9 and _", prefix, prefix[i])
	}
	if epoch == 0 || epoch > epochMax {
		return nil, fmt.Errorf("cannot make client ids: the epoch is %d, want 1 to %d", epoch, epochMax)
	}
	head := append([]byte(prefix), '-')
	head = appendBase36(head, epoch, epochDigits)
	head = append(head, '-')
	return &IDs{head: string(head), tag: len(prefix) + 1, epoch: epoch}, nil
}

// Epoch is the run's own.
func (g *IDs) Epoch() uint64 { return g.epoch }

// Next reserves a sequence number. The first is 1.
func (g *IDs) Next() uint64 {
	g.next++
	return g.next
}

// Head is the constant part of every id of this run; SeqDigits digits follow.
func (g *IDs) Head() string { return g.head }

// Append appends the id with that sequence number.
func (g *IDs) Append(dst []byte, seq uint64) []byte {
	dst = append(append(dst, g.head...), "00000000"[:SeqDigits]...)
	PutSeq(dst[len(dst)-SeqDigits:], seq)
	return dst
}

// ID is the id with that sequence number.
func (g *IDs) ID(seq uint64) core.ClientID {
	var b [36]byte
	c, _ := core.MakeClientID(g.Append(b[:0], seq))
	return c
}

// Parse tells whose an id is, and of one with our prefix the run's epoch and the
// sequence number in it.
func (g *IDs) Parse(id []byte) (epoch, seq uint64, o Owner) {
	n := len(g.head)
	if len(id) != n+SeqDigits || string(id[:g.tag]) != g.head[:g.tag] || id[n-1] != '-' {
		return 0, 0, Foreign
	}
	seq, ok := parseBase36(id[n:])
	if !ok {
		return 0, 0, Foreign
	}
	if string(id[:n]) == g.head {
		return g.epoch, seq, Ours
	}
	if epoch, ok = parseBase36(id[g.tag : n-1]); !ok {
		return 0, 0, Foreign
	}
	return epoch, seq, OtherRun
}

func parseBase36(b []byte) (v uint64, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			v = v*36 + uint64(c-'0')
		case c >= 'a' && c <= 'z':
			v = v*36 + uint64(c-'a') + 10
		default:
			return 0, false
		}
	}
	return v, true
}

// PutSeq writes the digits of seq over dst[:SeqDigits].
func PutSeq(dst []byte, seq uint64) {
	for i := SeqDigits - 2; i >= 0; i -= 2 {
		pair := &base36Pairs[seq%(36*36)]
		dst[i], dst[i+1] = pair[0], pair[1]
		seq /= 36 * 36
	}
}

// base36Pairs are the numbers of two digits: ids are made for every order.
var base36Pairs = func() (p [36 * 36][2]byte) {
	for i := range p {
		p[i] = [2]byte{base36[i/36], base36[i%36]}
	}
	return p
}()

func appendBase36(dst []byte, v uint64, digits int) []byte {
	n := len(dst)
	for range digits {
		dst = append(dst, '0')
	}
	for i := n + digits - 1; i >= n; i-- {
		dst[i] = base36[v%36]
		v /= 36
	}
	return dst
}
