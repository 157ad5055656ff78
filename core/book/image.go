package book

import (
	"fmt"

	"riposte/core"
)

// Image is a book as one snapshot told it: both sides best first, and the update
// id they stand at. Whoever receives a *Image owns it until it is handed on; the
// book copies what it needs.
type Image struct {
	Instrument core.InstrumentID
	LastID     uint64
	Bids, Asks []core.Level // best first
	Time       core.WallNs  // the venue's time of the snapshot, 0 if not told
	Limit      int          // levels per side that were asked for, 0 if unknown
	Purpose    Purpose      // what it was asked for
}

// Check says what is wrong with an image that no venue should send: a price or
// quantity that is not positive, levels that are not strictly best first, a bid
// at or above an ask.
func (im *Image) Check() error {
	for side, lv := range [2][]core.Level{im.Bids, im.Asks} {
		s := core.Side(side)
		for i, l := range lv {
			if l.Price <= 0 || l.Qty <= 0 {
				return fmt.Errorf("cannot use snapshot %d: %s level %d is %v at %v, want both above zero", im.LastID, s, i, l.Qty, l.Price)
			}
			if i > 0 && keyOf(s, l.Price) <= keyOf(s, lv[i-1].Price) {
				return fmt.Errorf("cannot use snapshot %d: %s level %d at %v follows %v, want best first", im.LastID, s, i, l.Price, lv[i-1].Price)
			}
		}
	}
	if len(im.Bids) > 0 && len(im.Asks) > 0 && im.Bids[0].Price >= im.Asks[0].Price {
		return fmt.Errorf("cannot use snapshot %d: best bid %v, best ask %v, want bid below ask", im.LastID, im.Bids[0].Price, im.Asks[0].Price)
	}
	return nil
}

// edges are the outermost prices up to which an image tells a whole side. A side is told
// whole if it is shorter than the limit and than the other side: what cuts a body shorter
// than was asked for, a cap that nobody tells of, cuts both sides to one length, so the
// longer one may have been cut. Nothing is known of a side that came empty with no limit
// known, or if both did.
func (im *Image) edges() (bid, ask core.Price) {
	bid, ask = wholeBid, wholeAsk
	if im.Limit <= 0 || len(im.Bids) >= min(im.Limit, len(im.Asks)) {
		bid = wholeAsk
		if n := len(im.Bids); n > 0 {
			bid = im.Bids[n-1].Price
		}
	}
	if im.Limit <= 0 || len(im.Asks) >= min(im.Limit, len(im.Bids)) {
		ask = wholeBid
		if n := len(im.Asks); n > 0 {
			ask = im.Asks[n-1].Price
		}
	}
	return bid, ask
}
