package binance

import (
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/feed"
)

// The session's words for an account's frames; see feed.
const (
	UserExecution     = feed.UserExecution
	UserBalances      = feed.UserBalances
	UserDelta         = feed.UserDelta
	UserReplied       = feed.UserReplied
	UserTerminated    = feed.UserTerminated
	UserShutdown      = feed.UserShutdown
	UserIgnored       = feed.UserIgnored
	UserUnknownSymbol = feed.UserUnknownSymbol
	UserMalformed     = feed.UserMalformed
)

// UserStats counts what a user decoder has seen; it belongs to its owner.
type UserStats struct {
	Kinds         [feed.UserKinds]uint64
	UnknownEnums  uint64 // statuses, execution types, order types or times in force we do not know
	UnknownAssets uint64 // balances and fees in assets that are not in the table
}

// UserDecoder reads the frames of one WebSocket API socket: events of user data
// subscriptions in the envelope {"subscriptionId":0,"event":{...}}, or in that of
// the listen keys' time, {"stream":..,"data":{...}}, or bare; and replies. After
// warm-up it does not allocate. One goroutine.
type UserDecoder struct {
	ev     feed.UserEvent
	syms   *Symbols
	assets map[string]core.AssetID
	unit   core.TimeUnit
	parser fastjson.Parser
	stats  UserStats
}

// NewUserDecoder makes a decoder for a connection that sends times in unit. The
// assets of t are those it knows: who pays fees in BNB has to have it there.
func NewUserDecoder(t *core.Instruments, syms *Symbols, unit core.TimeUnit) *UserDecoder {
	d := &UserDecoder{syms: syms, unit: unit, assets: make(map[string]core.AssetID, len(t.Assets))}
	for i, name := range t.Assets {
		d.assets[name] = core.AssetID(i)
	}
	return d
}

// Stats points at the counters, which the decoding goroutine writes.
func (d *UserDecoder) Stats() *UserStats { return &d.stats }

// Decode reads one frame, which is only borrowed. What it said is valid until
// the next one.
func (d *UserDecoder) Decode(frame []byte) (*feed.UserEvent, feed.UserKind) {
	k := d.decode(frame)
	d.stats.Kinds[k]++
	return &d.ev, k
}

// KeyRefused reports -1022 (wrong signature), -2008 (unknown key), -2014 (malformed
// key) and -2015 (key, address or permission refused).
func (d *UserDecoder) KeyRefused(code int32) bool {
	return code == -1022 || code == -2008 || code == -2014 || code == -2015
}

// ClockRefused reports -1021: timestamp outside of recvWindow or ahead of the
// venue.
func (d *UserDecoder) ClockRefused(code int32) bool { return code == -1021 }

func (d *UserDecoder) decode(frame []byte) feed.UserKind {
	if fastjson.ValidateBytes(frame) != nil {
		return UserMalformed
	}
	v, err := d.parser.ParseBytes(frame)
	if err != nil {
		return UserMalformed
	}
	if v.Type() != fastjson.TypeObject {
		return UserIgnored
	}
	ev := v.Get("event")
	switch {
	case v.Exists("status"):
		return d.reply(v)
	case ev != nil:
	case v.Exists("stream") && v.Exists("data"):
		ev = v.Get("data")
	default:
		ev = v
	}
	if ev.Type() != fastjson.TypeObject {
		return UserIgnored
	}
	r := userReader{v: ev, unit: d.unit.Ns()}
	switch string(r.text("e")) {
	case "executionReport":
		return d.execution(&r)
	case "outboundAccountPosition":
		return d.position(&r)
	case "balanceUpdate":
		return d.delta(&r)
	case "eventStreamTerminated":
		return UserTerminated
	case "serverShutdown":
		return UserShutdown
	}
	return UserIgnored
}

// execution reads an executionReport (Binance Spot API docs, user data stream,
// 2026-07-21).
func (d *UserDecoder) execution(r *userReader) feed.UserKind {
	id := d.syms.Lookup(r.text("s"))
	if r.bad {
		return UserMalformed
	}
	if id == core.NoInstrument {
		return UserUnknownSymbol
	}
	d.ev.Execution = core.Execution{
		Instrument: id,
		Kind:       execKind(r.text("x")),
		Status:     orderStatus(r.text("X")),
		VenueID:    r.int("i"),
		ExecID:     r.intOpt("I", 0),
		TradeID:    -1,
		FeeAsset:   core.NoAsset,
		Price:      core.Price(r.dec("p")),
		Qty:        core.Qty(r.dec("q")),
		LastPrice:  core.Price(r.dec("L")),
		LastQty:    core.Qty(r.dec("l")),
		Cum:        core.Qty(r.dec("z")),
		LastQuote:  core.Amount(r.signedOpt("Y")),
		CumQuote:   core.Amount(r.signedOpt("Z")),
		Time:       r.time("T"),
	}
	e := &d.ev.Execution
	if e.Kind == 0 {
		// An event we do not know says at least how the order stands.
		e.Kind = core.ExecStatus
		d.stats.UnknownEnums++
	}
	if e.Status == core.Unknown {
		d.stats.UnknownEnums++
	}
	switch string(r.text("S")) {
	case "BUY":
		e.Side = core.Buy
	case "SELL":
		e.Side = core.Sell
	default:
		r.bad = true
	}
	if !d.orderType(r.text("o"), e) {
		d.stats.UnknownEnums++
	}
	if !timeInForce(r.text("f"), e) {
		d.stats.UnknownEnums++
	}
	// c of a cancel is the cancel's own id and C the order's; in all other events
	// C is "" or null.
	client := r.text("c")
	if orig := r.v.GetStringBytes("C"); len(orig) > 0 {
		client = orig
	}
	// An id longer than ours can be is another client's order: known by VenueID.
	e.Client, _ = core.MakeClientID(client)
	switch e.Kind {
	case core.ExecTrade:
		e.TradeID = r.int("t")
		e.Maker = r.v.GetBool("m")
		e.Fee = core.Amount(r.signedOpt("n"))
		if name := r.v.GetStringBytes("N"); len(name) > 0 {
			if a, ok := d.assets[string(name)]; ok {
				e.FeeAsset = a
			} else {
				d.stats.UnknownAssets++
			}
		}
	case core.ExecRejected:
		e.Code = newOrderRejected
	}
	if r.bad {
		return UserMalformed
	}
	return UserExecution
}

// silenceMost is the longest ban there is, in ms, with a day to spare.
const silenceMost = 4 * 24 * 3600 * 1000

// newOrderRejected is the code under which the venue refuses orders; the event
// tells only a word for it.
const newOrderRejected = -2010

func execKind(s []byte) core.ExecKind {
	switch string(s) {
	case "NEW":
		return core.ExecNew
	case "TRADE":
		return core.ExecTrade
	case "CANCELED":
		return core.ExecCanceled
	case "EXPIRED":
		return core.ExecExpired
	case "REJECTED":
		return core.ExecRejected
	case "REPLACED":
		return core.ExecReplaced
	case "TRADE_PREVENTION":
		return core.ExecTradePrevention
	}
	return 0
}

// orderStatus is a status in FIX words. One we do not know, or that belongs to
// orders we do not send (PENDING_NEW: the waiting leg of a list), is Unknown:
// query it.
func orderStatus(s []byte) core.OrderStatus {
	switch string(s) {
	case "NEW":
		return core.New
	case "PARTIALLY_FILLED":
		return core.PartiallyFilled
	case "FILLED":
		return core.Filled
	case "CANCELED":
		return core.Canceled
	case "REJECTED":
		return core.Rejected
	case "EXPIRED", "EXPIRED_IN_MATCH":
		return core.Expired
	}
	return core.Unknown
}

func (d *UserDecoder) orderType(s []byte, e *core.Execution) (known bool) {
	switch string(s) {
	case "LIMIT":
		e.Type = core.Limit
	case "LIMIT_MAKER":
		e.Type = core.LimitMaker
	case "MARKET":
		e.Type = core.MarketOrder
	case "STOP_LOSS":
		e.Type = core.StopLoss
	case "STOP_LOSS_LIMIT":
		e.Type = core.StopLossLimit
	case "TAKE_PROFIT":
		e.Type = core.TakeProfit
	case "TAKE_PROFIT_LIMIT":
		e.Type = core.TakeProfitLimit
	default:
		return false
	}
	return true
}

func timeInForce(s []byte, e *core.Execution) (known bool) {
	switch string(s) {
	case "GTC":
		e.TIF = core.GTC
	case "IOC":
		e.TIF = core.IOC
	case "FOK":
		e.TIF = core.FOK
	default:
		return false
	}
	return true
}

// position reads an outboundAccountPosition: absolute balances of the assets
// that may have changed.
func (d *UserDecoder) position(r *userReader) feed.UserKind {
	d.ev.Balances = d.ev.Balances[:0]
	d.ev.Time = r.time("u") // the account's last update, which answers to queries carry too
	list := r.v.Get("B")
	if list == nil || list.Type() != fastjson.TypeArray {
		return UserMalformed
	}
	for _, v := range list.GetArray() {
		b := userReader{v: v}
		name, free, locked := b.text("a"), b.dec("f"), b.dec("l")
		if b.bad {
			return UserMalformed
		}
		a, ok := d.assets[string(name)]
		if !ok {
			d.stats.UnknownAssets++
			continue
		}
		d.ev.Balances = append(d.ev.Balances, core.Balance{Asset: a, Free: core.Amount(free), Locked: core.Amount(locked)})
	}
	if r.bad {
		return UserMalformed
	}
	return UserBalances
}

// delta reads a balanceUpdate.
func (d *UserDecoder) delta(r *userReader) feed.UserKind {
	a, ok := d.assets[string(r.text("a"))]
	d.ev.Delta = core.Balance{Asset: a, Free: core.Amount(r.signed("d"))}
	d.ev.Time = r.time("T")
	switch {
	case r.bad:
		return UserMalformed
	case !ok:
		d.stats.UnknownAssets++
		return UserIgnored
	}
	return UserDelta
}

// reply reads the answer to a request.
func (d *UserDecoder) reply(v *fastjson.Value) feed.UserKind {
	d.ev.Reply = feed.UserReply{Subscription: -1, Limits: d.ev.Reply.Limits[:0]}
	a := &d.ev.Reply
	r := userReader{v: v}
	a.Status = int(r.int("status"))
	if r.bad {
		return UserMalformed
	}
	if id := v.Get("id"); id != nil && id.Type() == fastjson.TypeNumber {
		n, err := id.Int64()
		a.ID, a.HasID = n, err == nil
	}
	if e := v.Get("error"); e != nil {
		a.Code = int32(e.GetInt64("code"))
		a.Msg = e.GetStringBytes("msg")
		// The end is told as an instant, and beside it what time it is there (Binance Spot API
		// docs, 2026-07-21): our own clock may be hours off.
		if at, now := e.GetInt64("data", "retryAfter"), e.GetInt64("data", "serverTime"); now > 0 && at > now && at-now < silenceMost {
			a.RetryAfter = time.Duration(at-now) * time.Millisecond
		}
	}
	if s := v.Get("result", "subscriptionId"); s != nil {
		if n, err := s.Int64(); err == nil {
			a.Subscription = n
		}
	}
	for _, l := range v.GetArray("rateLimits") {
		a.Limits = append(a.Limits, feed.LimitUse{
			RateLimit: RateLimit{
				Type: limitType(l.GetStringBytes("rateLimitType")), Interval: limitInterval(l.GetStringBytes("interval")),
				IntervalNum: l.GetInt("intervalNum"), Limit: l.GetInt("limit"),
			},
			Count: l.GetInt("count"),
		})
	}
	return UserReplied
}

// limitType and limitInterval name what they know without making a string.
func limitType(s []byte) string {
	switch string(s) {
	case "REQUEST_WEIGHT":
		return "REQUEST_WEIGHT"
	case "ORDERS":
		return "ORDERS"
	case "CONNECTIONS":
		return "CONNECTIONS"
	case "RAW_REQUESTS":
		return "RAW_REQUESTS"
	}
	return ""
}

func limitInterval(s []byte) string {
	switch string(s) {
	case "SECOND":
		return "SECOND"
	case "MINUTE":
		return "MINUTE"
	case "HOUR":
		return "HOUR"
	case "DAY":
		return "DAY"
	}
	return ""
}

// userReader reads fields of one event; bad is set by the first that is missing
// or unreadable.
type userReader struct {
	v    *fastjson.Value
	unit int64
	bad  bool
}

func (r *userReader) text(key string) []byte {
	f := r.v.Get(key)
	if f == nil || f.Type() != fastjson.TypeString {
		r.bad = true
		return nil
	}
	return f.GetStringBytes()
}

func (r *userReader) dec(key string) int64 {
	n, err := core.ParseDecimal(r.text(key))
	if err != nil {
		r.bad = true
	}
	return n
}

func (r *userReader) signed(key string) int64 {
	n, err := core.ParseSignedDecimal(r.text(key))
	if err != nil {
		r.bad = true
	}
	return n
}

// signedOpt is signed, or 0 if the field is missing or null.
func (r *userReader) signedOpt(key string) int64 {
	if f := r.v.Get(key); f == nil || f.Type() == fastjson.TypeNull {
		return 0
	}
	return r.signed(key)
}

func (r *userReader) int(key string) int64 {
	if f := r.v.Get(key); f != nil && f.Type() == fastjson.TypeNumber {
		if n, err := f.Int64(); err == nil {
			return n
		}
	}
	r.bad = true
	return 0
}

func (r *userReader) intOpt(key string, missing int64) int64 {
	if !r.v.Exists(key) {
		return missing
	}
	return r.int(key)
}

func (r *userReader) time(key string) core.WallNs {
	ns, ok := nanoseconds(r.int(key), r.unit, (1<<63-1)/r.unit)
	if !ok {
		r.bad = true
		return 0
	}
	return core.WallNs(ns)
}

var (
	_ feed.Codec     = (*Decoder)(nil)
	_ feed.UserCodec = (*UserDecoder)(nil)
)
