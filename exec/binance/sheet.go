package binance

import (
	"riposte/core"
	"riposte/exec"
)

// A sheet is one order's request on its way. draft lays out what is known before the
// order is wanted and hashes it; finish adds the price and the time, and signs. What
// was drafted can be finished any number of times, until the request has left.
type sheet struct {
	buf    []byte // the request, all of it once finished; its memory never moves
	t      *template
	mid    midstate // behind the whole blocks of what is settled
	span   uint64   // the timestamp's settled digits, part of mid
	seq    uint64   // 0: no id is reserved
	qty    core.Qty // 0: not drafted
	client core.ClientID
	stamp  int // where the timestamp begins
	end    int // where the tail was put last
}

const (
	quantityName  = "&quantity="
	timestampName = "&timestamp="
	priceName     = "&price="
	signatureName = "&signature="

	// looseDigits are the timestamp's last digits, which a draft leaves open: it
	// holds for 100 seconds.
	looseDigits = 5
	looseSpan   = 100_000
)

// take gives the sheet memory for requests of t.
func (s *sheet) take(t *template) {
	s.buf, s.t = make([]byte, len(t.buf), t.room), t
	copy(s.buf, t.buf)
}

// fits reports whether the draft holds for an order of that size at that time.
func (s *sheet) fits(qty core.Qty, now core.WallNs) bool {
	return s.qty == qty && s.seq != 0 && stampOf(now)/looseSpan == s.span
}

// draft lays out the order s.seq, which has been reserved for it.
func (f *frame) draft(s *sheet, ids *exec.IDs, qty core.Qty, now core.WallNs) {
	t := s.t
	b := s.buf[:cap(s.buf)]
	n := len(t.buf)
	exec.PutSeq(b[n:], s.seq)
	s.client = ids.ID(s.seq)
	n += exec.SeqDigits
	n += copy(b[n:], quantityName)
	n += putDecimal(b[n:], int64(qty))
	n += copy(b[n:], timestampName)
	ms := stampOf(now)
	putStamp(b[n:], ms)
	s.qty, s.span, s.stamp = qty, ms/looseSpan, n
	if !t.market {
		copy(b[n+stampDigits:], priceName)
	}
	s.end = 0 // whatever stood there
	if f.hmac != nil {
		s.mid = t.mid
		f.hmac.feed(&s.mid, b[t.payload+t.mid.of():n+stampDigits-looseDigits])
	}
}

// finish makes the draft a whole signed request at that price and time, for which it
// must fit.
func (f *frame) finish(s *sheet, price core.Price, now core.WallNs) {
	t := s.t
	b := s.buf[:cap(s.buf)]
	putStamp(b[s.stamp:], stampOf(now))
	n := s.stamp + stampDigits
	if !t.market {
		n += len(priceName)
		n += putDecimal(b[n:], int64(price))
	}
	payload := n
	n += copy(b[n:], signatureName)
	if f.hmac != nil {
		b = f.hmac.appendFrom(b[:n], &s.mid, b[t.payload+s.mid.of():payload])
	} else {
		b = f.signer.AppendREST(b[:n], b[t.payload:payload])
	}
	if s.end != len(b) {
		s.end = len(b)
		s.buf = append(b, t.tail...)
	}
}

func (s *sheet) wipe() {
	clear(s.buf[:cap(s.buf)])
	s.mid, s.seq = midstate{}, 0
}
