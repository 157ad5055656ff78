package tape

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"riposte/tools/venue/exchange"
)

// Expected is what a client must find when it plays a written recording: per
// symbol the book a correct client ends with, in the terms and key names of the
// recordings' expected.json. It comes from the exchange's own book, not from
// the frames.
type Expected struct {
	Market   string                    `json:"market"`
	Frames   int                       `json:"ws_frames"`
	Bytes    int                       `json:"ws_bytes"`
	Rest     int                       `json:"rest_responses"`
	Payloads string                    `json:"ws_payloads_sha256"`
	Messages map[string]map[string]int `json:"messages"` // symbol, event type, frames
	Books    map[string]*ExpectedBook  `json:"books"`
}

// ExpectedBook is the book of one symbol after the whole recording.
type ExpectedBook struct {
	Snapshot    int64      `json:"snapshot_lastUpdateId"`
	Frames      int        `json:"frames"`
	Applied     int        `json:"applied"`
	Dropped     int        `json:"dropped"`
	Gaps        int        `json:"gaps"`
	FirstUu     [2]int64   `json:"first_applied_U_u"`
	LastU       int64      `json:"last_u"`
	BidLevels   int        `json:"bid_levels"`
	AskLevels   int        `json:"ask_levels"`
	BestBid     [2]string  `json:"best_bid"`
	BestAsk     [2]string  `json:"best_ask"`
	FinalSHA256 string     `json:"final_sha256"`
	BBOSHA256   string     `json:"bbo_sha256"`
	Ticker      TopChecked `json:"bookTicker_check"`

	bbo hash.Hash
	buf []byte
}

// TopChecked counts after how many events the top of the book was the newest
// bookTicker's.
type TopChecked struct {
	Match  int `json:"match"`
	Differ int `json:"differ"`
}

// BookHash is final_sha256 of expected.json: one line per level, best first,
// bids before asks, numbers without trailing zeros.
func BookHash(bids, asks []exchange.Level) string {
	h := sha256.New()
	var b []byte
	for _, s := range [2]struct {
		mark   byte
		levels []exchange.Level
	}{{'b', bids}, {'a', asks}} {
		for _, l := range s.levels {
			b = append(b[:0], s.mark, ' ')
			b = append(exchange.AppendPlain(b, l.Price), ' ')
			b = append(exchange.AppendPlain(b, l.Qty), '\n')
			h.Write(b)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// addTop appends one line of bbo_sha256.
func (e *ExpectedBook) addTop(u int64, bid, ask exchange.Level) {
	e.buf = fmt.Appendf(e.buf[:0], "%d ", u)
	e.buf = append(appendTop(e.buf, bid), ' ')
	e.buf = append(appendTop(e.buf, ask), '\n')
	e.bbo.Write(e.buf)
}

// appendTop prints a side of the top; an empty one is "- -".
func appendTop(b []byte, l exchange.Level) []byte {
	if l.Qty == 0 {
		return append(b, "- -"...)
	}
	b = append(exchange.AppendPlain(b, l.Price), ' ')
	return exchange.AppendPlain(b, l.Qty)
}

func plain(l exchange.Level) [2]string {
	return [2]string{string(exchange.AppendPlain(nil, l.Price)), string(exchange.AppendPlain(nil, l.Qty))}
}
