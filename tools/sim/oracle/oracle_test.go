package oracle

import (
	"fmt"
	"strings"
	"testing"
)

// rules are what the histories of these tests are held against.
func rules() *Rules {
	return &Rules{
		Prefix: "rp", Symbols: map[string]Symbol{"BTCUSDT": {Base: "BTC", Quote: "USDT", PositionMax: 3 * scale, QtyMax: 2 * scale, NotionalMax: 1000 * scale, OpenMax: 2}},
		RateMax: 3, RateSpan: 10 * sec, StrategyRateMax: 2, StrategyRateSpan: sec, RejectMax: 2,
		Stale: 500 * ms, Life: 250 * ms, Window: 5 * sec, Margin: 10 * sec, Span: 60 * sec, LostAfter: 5 * sec, Silence: 6 * sec,
		VenueNow: func(at int64) int64 { return at },
	}
}

const (
	one   = "rp-0000001-00000001"
	two   = "rp-0000001-00000002"
	three = "rp-0000001-00000003"
	later = "rp-0000002-00000001"
)

// step is one fact, after some time.
type step struct {
	after int64
	what  any
}

func at(after int64, what any) step { return step{after, what} }

// place is an order as it leaves, and begin its first byte.
func place(id string) *Request { return placeAt(id, 0) }

func placeAt(id string, stamp int64) *Request {
	return &Request{Conn: 1, Method: "POST", Path: "/api/v3/order", Args: map[string]string{"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": id,
		"quantity": "1", "price": "100", "timestamp": fmt.Sprint(stamp / ms), "recvWindow": "5000"}}
}

func begin(id string) Begun {
	return Begun{Conn: 1, B: []byte("POST /api/v3/order?newClientOrderId=" + id + "&q")}
}

func cancel(symbol string, order int) *Request {
	return &Request{Conn: 1, Method: "DELETE", Path: "/api/v3/order", Args: map[string]string{"symbol": symbol, "orderId": fmt.Sprint(order)}}
}

func call(path string) *Request {
	return &Request{Conn: 9, Method: "GET", Path: path, Args: map[string]string{}}
}

func taken(id string, order int64) Accepted {
	return Accepted{Client: id, Symbol: "BTCUSDT", Order: order, Price: 100 * scale, Qty: scale}
}

func dump(orders ...OrderDump) Dump { return Dump{Orders: orders} }

func told(id, state string, cum int64) OrderDump {
	return OrderDump{Client: id, Symbol: "BTCUSDT", Order: 1, Status: state, Cum: cum, Qty: scale}
}

// tell shows a history to a checker and returns what it found.
func tell(c Checker, history []step) []Violation {
	o := New(c)
	now := int64(0)
	for _, s := range history {
		now += s.after
		o.See(now, s.what)
	}
	return o.Violations()
}

// judge tells histories: those whose name begins with "not" must be found to break the
// promise, all others must not.
func judge(t *testing.T, promise string, make func() Checker, histories map[string][]step) {
	t.Helper()
	for name, history := range histories {
		got := tell(make(), history)
		switch breaks := strings.HasPrefix(name, "not "); {
		case breaks && len(got) == 0:
			t.Errorf("%s, %s: nothing was found", promise, name)
		case breaks && got[0].Promise != promise:
			t.Errorf("%s, %s: found %v", promise, name, got[0])
		case !breaks && len(got) > 0:
			t.Errorf("%s, %s: found %v", promise, name, got[0])
		}
	}
}

func TestAnOrderIsNotGivenUpBeforeItMay(t *testing.T) {
	refused := func(status, code int) Reply { return Reply{Conn: 1, For: place(one), Status: status, Code: code} }
	judge(t, "P6", func() Checker { return newDoubt(rules()) }, map[string][]step{
		"waited":      {at(0, place(one)), at(76*sec, dump(told(one, stateNotSent, 0)))},
		"not waited":  {at(0, place(one)), at(74*sec, dump(told(one, stateNotSent, 0)))},
		"refused":     {at(0, place(one)), at(0, refused(400, -2010)), at(0, dump(told(one, stateRejected, 0)))},
		"not refused": {at(0, place(one)), at(0, dump(told(one, stateRejected, 0)))},
		"not a 503":   {at(0, place(one)), at(0, refused(503, -1007)), at(0, dump(told(one, stateRejected, 0)))},
		"not -1006":   {at(0, place(one)), at(0, refused(400, -1006)), at(0, dump(told(one, stateNotSent, 0)))},
		"half of a replace": {at(0, place(one)), at(0, Reply{For: place(one), Status: 409, Code: -2021, Body: []byte(`{"code":-2021,"data":{"cancelResult":"SUCCESS","newOrderResult":"FAILURE","newOrderResponse":{"code":-2010}}}`)}),
			at(0, dump(told(one, stateRejected, 0)))},
		"not the other half": {at(0, place(one)), at(0, Reply{For: place(one), Status: 409, Code: -2021, Body: []byte(`{"code":-2021,"data":{"cancelResult":"FAILURE","newOrderResult":"SUCCESS"}}`)}),
			at(0, dump(told(one, stateRejected, 0)))},
		"no byte left":               {at(0, dump(told(one, stateNotSent, 0)))},
		"not half a request":         {at(0, begin(one)), at(sec, dump(told(one, stateNotSent, 0)))},
		"half, stamped before":       {at(sec, begin(one+"&timestamp=400&")), at(74500*ms, dump(told(one, stateNotSent, 0)))},
		"not half, stamped before":   {at(sec, begin(one+"&timestamp=400&")), at(74300*ms, dump(told(one, stateNotSent, 0)))},
		"stamp in the lost half":     {at(5*sec, begin(one+"&timestamp=40")), at(70*sec+500*ms, dump(told(one, stateNotSent, 0)))},
		"not stamp in the lost half": {at(5*sec, begin(one+"&timestamp=40")), at(69*sec, dump(told(one, stateNotSent, 0)))},
		"not taken after":            {at(0, place(one)), at(90*sec, dump(told(one, stateNotSent, 0))), at(0, taken(one, 1))},
		"rejected by stream":         {at(0, place(one)), at(0, Account{Client: one, Status: stateRejected}), at(0, dump(told(one, stateRejected, 0)))},
		"rejected by query": {at(0, place(one)), at(0, Reply{For: call("/api/v3/order"), Status: 200, Body: []byte(`{"clientOrderId":"` + one + `","status":"REJECTED"}`)}),
			at(0, dump(told(one, stateRejected, 0)))},
	})
}

func TestWhatIsOverStaysOver(t *testing.T) {
	judge(t, "P10", func() Checker { return newMonotone() }, map[string][]step{
		"moves on":          {at(0, dump(told(one, "NEW", 0))), at(0, dump(told(one, "PARTIALLY_FILLED", 5))), at(0, dump(told(one, stateCanceled, 5)))},
		"filled after all":  {at(0, dump(told(one, stateCanceled, 5))), at(0, dump(told(one, stateFilled, scale)))},
		"lives after all":   {at(0, dump(told(one, stateNotSent, 0))), at(0, dump(told(one, "NEW", 0)))},
		"lost with a disk":  {at(0, dump(told(one, stateCanceled, 5))), at(0, DiskFails{"sync"}), at(0, Died{}), at(0, dump(told(one, "NEW", 5)))},
		"not over a death":  {at(0, dump(told(one, stateCanceled, 5))), at(0, Died{}), at(0, dump(told(one, "NEW", 5)))},
		"not over":          {at(0, dump(told(one, stateCanceled, 5))), at(0, dump(told(one, "NEW", 5)))},
		"not less":          {at(0, dump(told(one, "PARTIALLY_FILLED", 5))), at(0, dump(told(one, "PARTIALLY_FILLED", 4)))},
		"not more than all": {at(0, dump(told(one, "NEW", 0))), at(0, dump(told(one, "NEW", scale+1)))},
	})
}

func TestTheEngineIsNeverAheadOfTheVenue(t *testing.T) {
	trade := func(q int64) Traded { return Traded{Symbol: "BTCUSDT", Order: 1, Qty: q} }
	over := func(status string) Ended { return Ended{Symbol: "BTCUSDT", Order: 1, Status: status} }
	judge(t, "P10", func() Checker { return newStory() }, map[string][]step{
		"behind":           {at(0, taken(one, 1)), at(0, trade(5)), at(0, dump(told(one, "NEW", 0))), at(0, dump(told(one, "NEW", 5)))},
		"unknown":          {at(0, taken(one, 1)), at(0, dump(told(one, stateUnknown, 0))), at(0, over(stateCanceled)), at(0, dump(told(one, stateUnknown, 0)))},
		"refused":          {at(0, dump(told(one, stateRejected, 0)))},
		"ended":            {at(0, taken(one, 1)), at(0, trade(scale)), at(0, over(stateFilled)), at(0, dump(told(one, stateFilled, scale)))},
		"not ahead":        {at(0, taken(one, 1)), at(0, dump(told(one, "PARTIALLY_FILLED", 5)))},
		"not refused":      {at(0, taken(one, 1)), at(0, dump(told(one, stateRejected, 0)))},
		"not at work":      {at(0, taken(one, 1)), at(0, dump(told(one, stateCanceled, 0)))},
		"not that end":     {at(0, taken(one, 1)), at(0, over(stateExpired)), at(0, dump(told(one, stateCanceled, 0)))},
		"not all of it":    {at(0, taken(one, 1)), at(0, trade(5)), at(0, dump(told(one, stateFilled, 5)))},
		"not there at all": {at(0, dump(told(one, "PARTIALLY_FILLED", 5)))},
	})
}

func TestTheWorstCaseIsWithinItsLimits(t *testing.T) {
	more := func(id string, order int64, sell bool, qty, price int64) Accepted {
		return Accepted{Client: id, Symbol: "BTCUSDT", Order: order, Sell: sell, Qty: qty, Price: price}
	}
	fill := func(order, qty, fee int64) Traded {
		return Traded{Symbol: "BTCUSDT", Order: order, Qty: qty, Fee: fee, FeeAsset: "BTC"}
	}
	gone := func(order int64) Ended { return Ended{Symbol: "BTCUSDT", Order: order, Status: stateCanceled} }
	judge(t, "P11", func() Checker { return newWorst(rules()) }, map[string][]step{
		"both sides":          {at(0, more(one, 1, false, 2*scale, scale)), at(0, more(two, 2, true, 2*scale, scale))},
		"made room":           {at(0, more(one, 1, false, 2*scale, scale)), at(0, gone(1)), at(0, more(two, 2, false, 2*scale, scale))},
		"fees count":          {at(0, more(one, 1, false, 2*scale, scale)), at(0, fill(1, 2*scale, 10)), at(0, gone(1)), at(0, more(two, 2, false, scale+10, scale))},
		"others do not count": {at(0, Accepted{Client: "x", Symbol: "LTCBTC", Foreign: true, Qty: 100 * scale})},
		"not so much":         {at(0, more(one, 1, false, 2*scale, scale)), at(0, more(two, 2, false, scale+1, scale))},
		"not with what is held": {at(0, more(one, 1, false, 2*scale, scale)), at(0, fill(1, 2*scale, 0)), at(0, gone(1)),
			at(0, more(two, 2, false, scale+1, scale))},
		"not short":     {at(0, more(one, 1, true, 2*scale, scale)), at(0, more(two, 2, true, scale+1, scale))},
		"not so many":   {at(0, more(one, 1, false, 1, scale)), at(0, more(two, 2, true, 1, scale)), at(0, more(three, 3, true, 1, scale))},
		"not so large":  {at(0, more(one, 1, false, 2*scale+1, scale))},
		"not so dear":   {at(0, more(one, 1, false, 2*scale, 501*scale))},
		"not that one":  {at(0, Accepted{Client: one, Symbol: "LTCBTC", Qty: 1, Price: 1})},
		"not overflown": {at(0, more(one, 1, false, 2*scale, 1<<62))},
	})
	judge(t, "P11", func() Checker { return newRates(rules()) }, map[string][]step{
		"slow":          {at(0, place(one)), at(0, place(one)), at(sec, place(one)), at(9*sec, place(one))},
		"not in bursts": {at(0, place(one)), at(0, place(one)), at(0, place(one))},
		"not so many":   {at(0, place(one)), at(2*sec, place(one)), at(2*sec, place(one)), at(2*sec, place(one))},
		"another life":  {at(0, place(one)), at(0, place(one)), at(0, Died{}), at(0, place(one)), at(0, place(one))},
	})
	judge(t, "P22", func() Checker { return newBounds() }, map[string][]step{
		"bounded": {at(0, Dump{Sizes: map[string]Size{"queue": {8, 8}}})},
		"not so":  {at(0, Dump{Sizes: map[string]Size{"queue": {9, 8}}})},
	})
}
