package book

import (
	"strconv"

	"riposte/core"
)

// The canonical texts are what reference results are hashes of: numbers plain,
// without trailing zeros, one line each.

// AppendCanonical appends the whole book: "b <price> <qty>\n" per bid, best
// first, then "a <price> <qty>\n" per ask, best first.
func (b *Book) AppendCanonical(dst []byte) []byte {
	for s, letter := range [2]byte{core.Buy: 'b', core.Sell: 'a'} {
		for c := b.Cursor(core.Side(s)); ; {
			lv, ok := c.Next()
			if !ok {
				break
			}
			dst = append(dst, letter, ' ')
			dst = appendLevel(dst, lv)
			dst = append(dst, '\n')
		}
	}
	return dst
}

// AppendCanonicalTop appends "<id> <bid> <qty> <ask> <qty>\n"; a side without
// levels is "- -".
func AppendCanonicalTop(dst []byte, t core.Top) []byte {
	dst = strconv.AppendUint(dst, t.ID, 10)
	for _, lv := range [2]core.Level{{Price: t.Bid, Qty: t.BidQty}, {Price: t.Ask, Qty: t.AskQty}} {
		dst = append(dst, ' ')
		if lv.Price == 0 {
			dst = append(dst, "- -"...)
			continue
		}
		dst = appendLevel(dst, lv)
	}
	return append(dst, '\n')
}

func appendLevel(dst []byte, lv core.Level) []byte {
	dst = core.AppendDecimal(dst, int64(lv.Price))
	dst = append(dst, ' ')
	return core.AppendDecimal(dst, int64(lv.Qty))
}
