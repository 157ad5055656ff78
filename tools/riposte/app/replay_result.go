package app

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math/big"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/core/book"
	"riposte/feed"
)

// replayResult is what replay --json prints. Books and Messages have the shape of
// the reference results that recordings come with.
type replayResult struct {
	Market   string                               `json:"market"`
	Frames   uint64                               `json:"frames"`
	Bytes    uint64                               `json:"bytes"`
	Seconds  float64                              `json:"seconds"`
	Refused  map[string]uint64                    `json:"refused,omitempty"` // frames that were no event, by result
	Copies   uint64                               `json:"copies,omitempty"`  // events that another line had brought
	Messages map[string]map[string]*messageResult `json:"messages"`          // by symbol and event type
	Books    map[string]*bookResult               `json:"books"`
	// Recording is what a recording of ours says of itself.
	Recording *recordingNotes `json:"recording,omitempty"`

	parser fastjson.Parser
}

func newReplayResult() *replayResult {
	return &replayResult{Refused: map[string]uint64{}, Messages: map[string]map[string]*messageResult{}, Books: map[string]*bookResult{}, Recording: new(recordingNotes)}
}

// bookResult is one symbol's book at the end of the tape.
type bookResult struct {
	State          string         `json:"state"`
	Snapshots      uint64         `json:"snapshots"`
	SnapshotID     uint64         `json:"snapshot_lastUpdateId"`
	Frames         uint64         `json:"frames"`
	Applied        uint64         `json:"applied"`
	Dropped        uint64         `json:"dropped"`
	Gaps           uint64         `json:"gaps"`
	Overlaps       uint64         `json:"overlaps"`
	Waiting        uint64         `json:"waiting"`
	FirstApplied   [2]uint64      `json:"first_applied_U_u"`
	LastID         uint64         `json:"last_u"`
	Levels         uint64         `json:"levels_in_applied_events"`
	AbsentDeletes  uint64         `json:"deletes_of_absent_levels"`
	BidLevels      int            `json:"bid_levels"`
	AskLevels      int            `json:"ask_levels"`
	BestBid        [2]string      `json:"best_bid"`
	BestAsk        [2]string      `json:"best_ask"`
	FinalSHA256    string         `json:"final_sha256"`
	BBOSHA256      string         `json:"bbo_sha256"`
	Checkpoints    [][3]any       `json:"checkpoints"`
	BookTickerTest map[string]int `json:"bookTicker_check"`
}

// checkpointEvery is how many applied events lie between two checkpoints of the
// reference results.
const checkpointEvery = 500

// bookHash follows one book: the hash of its top after each applied event, and of
// the whole book now and then.
type bookHash struct {
	bbo        hash.Hash
	text       []byte
	first      [2]uint64
	snapshotID uint64
	count      uint64
	points     [][3]any
}

func newBookHash() *bookHash { return &bookHash{bbo: sha256.New(), points: [][3]any{}} }

func (h *bookHash) snapshot(im *book.Image) { h.snapshotID = im.LastID }

func (h *bookHash) applied(s *book.Sync, ev *core.Event) {
	b, live := s.Live()
	if !live {
		return
	}
	if h.count == 0 {
		h.first = [2]uint64{ev.FirstID(), ev.ID}
	}
	h.count++
	h.text = book.AppendCanonicalTop(h.text[:0], b.Top())
	h.bbo.Write(h.text)
	if h.count%checkpointEvery == 0 {
		h.points = append(h.points, [3]any{h.count, ev.ID, h.whole(b)})
	}
}

func (h *bookHash) whole(b *book.Book) string {
	h.text = b.AppendCanonical(h.text[:0])
	sum := sha256.Sum256(h.text)
	return hex.EncodeToString(sum[:])
}

// result tells of the book at the end; frames is how many depth events there were.
func (h *bookHash) result(s *book.Sync, frames uint64) *bookResult {
	st := s.Status()
	c := &st.Counters
	res := &bookResult{
		State: st.State.String(), Snapshots: c.Snapshots, SnapshotID: h.snapshotID,
		Frames: frames, Applied: c.Applied, Dropped: c.Dropped, Gaps: c.Gaps, Overlaps: c.Overlaps,
		Waiting:      frames - c.Applied - c.Dropped - c.Repeated,
		FirstApplied: h.first, LastID: st.LastID, Levels: c.Levels, AbsentDeletes: c.AbsentDeletes,
		BBOSHA256: hex.EncodeToString(h.bbo.Sum(nil)), Checkpoints: h.points,
		BookTickerTest: map[string]int{"match": int(c.TouchMatch), "differ": int(c.TouchDiffer)},
	}
	if b, live := s.Live(); live {
		top := b.Top()
		res.BestBid = [2]string{top.Bid.String(), top.BidQty.String()}
		res.BestAsk = [2]string{top.Ask.String(), top.AskQty.String()}
		res.BidLevels, res.AskLevels = b.Len(core.Buy), b.Len(core.Sell)
		res.FinalSHA256 = h.whole(b)
	}
	return res
}

// messageResult counts one event type of one symbol.
type messageResult struct {
	Frames       uint64  `json:"frames"`
	LastU        uint64  `json:"last_u,omitempty"`
	FirstID      *uint64 `json:"first_id,omitempty"`
	LastID       *uint64 `json:"last_id,omitempty"`
	BuyerIsMaker *uint64 `json:"buyer_is_maker,omitempty"`
	QtySum       string  `json:"qty_sum,omitempty"`
	NotionalSum  string  `json:"notional_sum,omitempty"`
	Closed       *uint64 `json:"closed,omitempty"`
	LastClose    string  `json:"last_close,omitempty"`

	qty, notional big.Int
}

func (res *replayResult) message(symbol, kind string) *messageResult {
	bySymbol := res.Messages[symbol]
	if bySymbol == nil {
		bySymbol = map[string]*messageResult{}
		res.Messages[symbol] = bySymbol
	}
	m := bySymbol[kind]
	if m == nil {
		m = new(messageResult)
		bySymbol[kind] = m
	}
	m.Frames++
	return m
}

// note counts one frame by what the decoder made of it.
func (res *replayResult) note(t *core.Instruments, frame []byte, ev *core.Event, lv []core.Level, r feed.Result) {
	if r != feed.Decoded {
		// Events of no use to a book are still counted by their own names.
		if v, err := res.parser.ParseBytes(frame); err == nil {
			if data := v.Get("data"); data != nil {
				v = data
			}
			if e, s := v.GetStringBytes("e"), v.GetStringBytes("s"); r == feed.Ignored && len(e) > 0 && len(s) > 0 {
				res.message(string(s), string(e))
				return
			}
		}
		res.Refused[r.String()]++
		return
	}
	sym := t.Get(ev.Instrument).Symbol
	switch ev.Kind {
	case core.DepthDelta:
		res.message(sym, "depthUpdate")
	case core.DepthTop:
		res.message(sym, "partialDepth")
	case core.Touch:
		res.message(sym, "bookTicker").LastU = ev.ID
	case core.Trade:
		res.message(sym, "trade").trade(ev)
	case core.AggTrade:
		res.message(sym, "aggTrade").trade(ev)
	case core.Kline:
		m := res.message(sym, "kline")
		if m.Closed == nil {
			m.Closed = new(uint64)
		}
		if ev.Flags&core.FlagClosed != 0 {
			*m.Closed++
		}
		m.LastClose = core.Price(lv[1].Qty).String()
	default:
		res.message(sym, "other")
	}
}

func (m *messageResult) trade(ev *core.Event) {
	id := ev.ID
	if m.FirstID == nil {
		m.FirstID, m.BuyerIsMaker = &id, new(uint64)
	}
	m.LastID = &id
	if ev.Aggressor() == core.Sell {
		*m.BuyerIsMaker++
	}
	q, p := big.NewInt(int64(ev.TradeQty())), big.NewInt(int64(ev.TradePrice()))
	m.qty.Add(&m.qty, q)
	m.notional.Add(&m.notional, p.Mul(p, q))
	m.QtySum = plain(&m.qty, 8)
	m.NotionalSum = plain(&m.notional, 16)
}

// plain prints v at 10^-digits without trailing zeros.
func plain(v *big.Int, digits int) string {
	text := v.String()
	for len(text) <= digits {
		text = "0" + text
	}
	whole, frac := text[:len(text)-digits], text[len(text)-digits:]
	for len(frac) > 0 && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}
