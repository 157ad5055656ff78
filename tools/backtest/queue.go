package backtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"riposte/core"
)

// Queue is a model of how an order moves up in the queue of its price. Trades at the
// price take from the front, for all of them. They differ in where quantity stood that
// leaves without a trade: cancels, of which nobody says whose they were.
//
//	risk        behind us, as far as what is shown allows: nothing moves us up but
//	            trades, until less is shown than was ahead (hftbacktest: RiskAdverse)
//	prob:N      behind us with probability back^N / (back^N + front^N) (PowerProbQueueFunc)
//	power2:N    ... (back / (back + front))^N (PowerProbQueueFunc2)
//	power3:N    ... 1 - (front / (front + back))^N (PowerProbQueueFunc3)
//	log         ... log(1+back) / (log(1+back) + log(1+front)) (LogProbQueueFunc)
//	log2        ... log(1+back) / log(1+back+front) (LogProbQueueFunc2)
//	front       ahead of us: the most favourable there can be
//
// front is the quantity ahead of the order, back what is behind it, in lots.
type Queue struct {
	kind queueKind
	n    float64
}

type queueKind uint8

const (
	queueRisk queueKind = iota
	queuePower
	queuePower2
	queuePower3
	queueLog
	queueLog2
	queueFront
)

var queueNames = [...]string{"risk", "prob", "power2", "power3", "log", "log2", "front"}

// ParseQueue reads a model's name, see Queue. prob alone is prob:3.
func ParseQueue(text string) (Queue, error) {
	name, arg, has := strings.Cut(text, ":")
	for k, s := range queueNames {
		if s != name {
			continue
		}
		q := Queue{kind: queueKind(k), n: 3}
		takes := q.kind >= queuePower && q.kind <= queuePower3
		if !has {
			return q, nil
		}
		n, err := strconv.ParseFloat(arg, 64)
		if !takes || err != nil || !(n > 0 && n <= 100) {
			break
		}
		q.n = n
		return q, nil
	}
	return Queue{}, fmt.Errorf("cannot use queue model %q, want risk, front, log, log2, or prob:N, power2:N, power3:N with N above 0 and up to 100", text)
}

func (q Queue) String() string {
	if q.kind >= queuePower && q.kind <= queuePower3 {
		return queueNames[q.kind] + ":" + strconv.FormatFloat(q.n, 'g', -1, 64)
	}
	return queueNames[q.kind]
}

// behind is the probability that what leaves without a trade had stood behind.
func (q Queue) behind(front, back float64) float64 {
	p := 1.0
	switch q.kind {
	case queuePower:
		b, f := math.Pow(back, q.n), math.Pow(front, q.n)
		p = b / (b + f)
	case queuePower2:
		p = math.Pow(back/(back+front), q.n)
	case queuePower3:
		p = 1 - math.Pow(front/(front+back), q.n)
	case queueLog:
		b, f := math.Log1p(back), math.Log1p(front)
		p = b / (b + f)
	case queueLog2:
		p = math.Log1p(back) / math.Log1p(back+front)
	case queueFront:
		p = 0
	}
	if math.IsNaN(p) { // nothing on either side
		return 1
	}
	return p
}

// place is where an order stands in the queue of its price.
type place struct {
	front core.Qty // of others, ahead of it
	shown core.Qty // of the price, as last told
	// told is what trades took of which the book has not told yet; left is what the touch
	// has told to be gone and no trade has explained yet: the venue sends the touch before
	// the trade that made it. cut is how much of front went with that.
	told, left, cut core.Qty
}

// join puts an order behind what is shown.
func (p *place) join(shown core.Qty) { *p = place{front: shown, shown: shown} }

// showing takes the price's quantity as the book now tells it. byTouch: by the stream of
// best prices, which a trade may still explain.
func (p *place) showing(q Queue, now core.Qty, byTouch bool, lot core.Qty) {
	gone := p.shown - now
	p.shown = now
	if gone > 0 {
		known := min(gone, p.told)
		p.told -= known
		gone -= known
	} else {
		gone = 0 // what is new stands behind
	}
	if byTouch {
		p.left += gone
		if p.front > now {
			p.cut += p.front - now
			p.front = now
		}
		return
	}
	if gone += p.left; gone > 0 {
		p.cancelled(q, gone, lot)
	}
	p.told, p.left, p.cut = 0, 0, 0
	p.front = min(p.front, now)
}

// cancelled shares out what left without a trade.
func (p *place) cancelled(q Queue, gone, lot core.Qty) {
	front := p.front + p.cut
	back := max(p.shown+gone-front, 0)
	l := float64(max(lot, 1))
	share := core.Qty(math.Round(float64(gone) * q.behind(float64(front)/l, float64(back)/l)))
	share = min(share, back, gone)
	p.front = min(max(front-(gone-share), 0), p.front)
}

// trade takes a trade of q at the price as far as it was of others ahead, and returns
// what is left of it.
func (p *place) trade(q core.Qty) core.Qty {
	known := min(q, p.left)
	p.left -= known
	p.told += q - known
	before := min(q, p.cut) // had left already when the touch told of it
	p.cut -= before
	q -= before
	took := min(q, p.front)
	p.front -= took
	return q - took
}
