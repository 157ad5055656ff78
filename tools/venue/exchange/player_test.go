package exchange

import (
	"fmt"

	"pgregory.net/rapid"
)

// command is one random input, plain data so that it can be played twice.
type command struct {
	Kind, Acct, Side, Type, TIF, STP int
	Qty, Price, Ref, Wait            int
}

func drawCommands(t *rapid.T, n int) []command {
	one := rapid.Custom(func(t *rapid.T) command {
		return command{
			Kind: rapid.IntRange(0, 25).Draw(t, "kind"), Acct: rapid.IntRange(0, 3).Draw(t, "acct"),
			Side: rapid.IntRange(0, 1).Draw(t, "side"), Type: rapid.IntRange(0, 15).Draw(t, "type"),
			TIF: rapid.IntRange(0, 5).Draw(t, "tif"), STP: rapid.IntRange(0, 5).Draw(t, "stp"),
			Qty: rapid.IntRange(1, 60).Draw(t, "qty"), Price: rapid.IntRange(-12, 12).Draw(t, "price"),
			Ref: rapid.IntRange(0, 1000).Draw(t, "ref"), Wait: rapid.IntRange(0, 40).Draw(t, "wait"),
		}
	})
	return rapid.SliceOfN(one, n, n).Draw(t, "commands")
}

// player runs commands against an exchange.
type player struct {
	x      *Exchange
	symbol string
	now    Micros
	ids    [4][]int64
	lists  [4][]int64
	mid    Fixed
}

func (p *player) newOrder(c *command) *NewOrder {
	in := p.x.byName[p.symbol]
	r := &NewOrder{Symbol: p.symbol, Side: Buy + Side(c.Side), STP: STPMode(c.STP)}
	mid := p.around()
	lot := Fixed(c.Qty) * One / 50 // 0.02 to 1.2 LTC: some are below the minimal notional
	price := mid + Fixed(c.Price)*in.tick
	switch {
	case c.Type >= 10:
		p.stop(c, r, price)
	case c.Type == 9:
		r.Type, r.TimeInForce = LimitOrder, GTC
		p.peg(c, r)
		if c.TIF > 2 {
			r.Price = Some(max(price, in.tick))
		}
		r.Quantity = Some(lot)
		return r
	case c.Type < 5:
		r.Type, r.TimeInForce = LimitOrder, [...]TimeInForce{GTC, GTC, GTC, GTC, IOC, FOK}[c.TIF]
	case c.Type < 7:
		r.Type = LimitMakerOrder
	default:
		r.Type = MarketOrder
		if c.TIF == 0 {
			r.QuoteOrderQty = Some(Fixed(c.Qty) * 37 * One / 10)
		} else {
			r.Quantity = Some(lot)
		}
		return r
	}
	r.Quantity = Some(lot)
	if r.Type.priced() {
		r.Price = Some(max(price, in.tick))
		if c.Ref%4 == 1 {
			r.IcebergQty = Some(lot / Fixed(1+c.Ref%7) / in.lot * in.lot)
		}
		if c.Ref%9 == 2 {
			p.peg(c, r)
		}
	}
	if c.Ref%3 == 0 {
		r.ClientOrderID = fmt.Sprintf("c%d", c.Ref%40)
	}
	return r
}

// around is a price near which orders are placed.
func (p *player) around() Fixed {
	if top, _ := p.x.BookTicker(p.symbol); top.Bid.Price > 0 && top.Ask.Price > 0 {
		return top.Bid.Price
	}
	return p.mid
}

func (p *player) peg(c *command, r *NewOrder) {
	r.Peg.Price = PrimaryPeg + PegPrice(c.Ref%2)
	if c.Ref%3 == 0 {
		r.Peg.Offset, r.Peg.Value = PegPriceLevel, Some(int64(1+c.Ref%4))
	}
}

// stop makes r one of the four stops, near the price so that it triggers soon.
func (p *player) stop(c *command, r *NewOrder, price Fixed) {
	r.Type = StopLossOrder + OrderType(c.Type%4)
	r.TimeInForce = TIFNone
	if r.Type.priced() {
		r.TimeInForce = [...]TimeInForce{GTC, GTC, GTC, GTC, IOC, FOK}[c.TIF]
	}
	if c.TIF != 3 {
		r.StopPrice = Some(max(price-Fixed(c.Qty%5-2)*p.x.byName[p.symbol].tick, 1))
	}
	if c.TIF >= 3 {
		r.TrailingDelta = Some(int64(10 + c.Ref%60))
	}
}

// newList makes a list whose prices lie around the last price, mostly rightly.
func (p *player) newList(c *command) *NewList {
	in := p.x.byName[p.symbol]
	mid, tick, gap := p.around(), in.tick, Fixed(1+c.Ref%6)
	side, lot := Buy+Side(c.Side), Some(Fixed(c.Qty)*One/50)
	leg := func(name string, side Side, typ OrderType, price, stop Fixed) NewOrder {
		r := NewOrder{Leg: name, Symbol: p.symbol, Side: side, Type: typ, Quantity: lot, STP: STPMode(c.STP)}
		if typ.priced() {
			r.Price = Some(max(price, tick))
		}
		if typ.timed() {
			r.TimeInForce = [...]TimeInForce{GTC, GTC, GTC, GTC, IOC, FOK}[c.TIF]
		}
		if typ.stop() {
			r.StopPrice = Some(max(stop, tick))
		}
		return r
	}
	pair := func(side Side) []NewOrder {
		limit := [...]OrderType{LimitMakerOrder, LimitMakerOrder, TakeProfitOrder, TakeProfitLimitOrder}[c.Type%4]
		loss := [...]OrderType{StopLossOrder, StopLossLimitOrder}[c.TIF%2]
		up, low := mid+(gap+1)*tick, mid-gap*tick
		if side == Sell {
			return []NewOrder{leg("above", side, limit, up, up), leg("below", side, loss, low-tick, low)}
		}
		return []NewOrder{leg("above", side, loss, up+tick, up), leg("below", side, limit, low, low)}
	}
	l := &NewList{Symbol: p.symbol, Kind: ListOCO + ListKind(c.Type%3)}
	price := mid + Fixed(c.Price)*tick
	switch l.Kind {
	case ListOCO:
		l.Legs = pair(side)
	case ListOTO:
		l.Legs = []NewOrder{leg("working", side, LimitOrder, price, 0), *p.newOrder(c)}
		l.Legs[1].Leg, l.Legs[1].Side = "pending", side.other()
	default:
		l.Legs = append([]NewOrder{leg("working", side, LimitOrder, price, 0)}, pair(side.other())...)
	}
	return l
}

func (p *player) placeList(c *command) {
	rep, rej := p.x.PlaceList(p.now, AccountID(c.Acct), p.newList(c))
	if rej != nil {
		return
	}
	p.lists[c.Acct] = append(p.lists[c.Acct], rep.List.ListID)
	for i := range rep.Reports {
		p.ids[c.Acct] = append(p.ids[c.Acct], rep.Reports[i].OrderID)
	}
}

func (p *player) pick(c *command) Opt {
	ids := p.ids[c.Acct]
	if len(ids) == 0 || c.Ref%50 == 0 {
		return Some(int64(c.Ref))
	}
	return Some(ids[len(ids)-1-c.Ref%min(len(ids), 12)])
}

func (p *player) do(c *command) {
	p.now += Micros(c.Wait) * 997
	a := AccountID(c.Acct)
	switch {
	case c.Kind < 12:
		if rep, rej := p.x.Place(p.now, a, p.newOrder(c)); rej == nil {
			p.ids[c.Acct] = append(p.ids[c.Acct], rep.OrderID)
		}
	case c.Kind < 15:
		_, _ = p.x.Cancel(p.now, a, &CancelRequest{Symbol: p.symbol, OrderID: p.pick(c), Restriction: CancelRestriction(c.Ref % 7 / 5)})
	case c.Kind < 16:
		_, _ = p.x.Amend(p.now, a, &AmendRequest{Symbol: p.symbol, OrderID: p.pick(c), NewQty: Some(Fixed(c.Qty) * One / 50)})
	case c.Kind < 17:
		rep, rej := p.x.CancelReplace(p.now, a, &ReplaceRequest{
			Cancel: CancelRequest{OrderID: p.pick(c)}, New: *p.newOrder(c), AllowFailure: c.Ref%2 == 0,
		})
		if rej == nil && rep.New != nil {
			p.ids[c.Acct] = append(p.ids[c.Acct], rep.New.OrderID)
		}
	case c.Kind < 20:
		p.placeList(c)
	case c.Kind < 21:
		if n := len(p.lists[c.Acct]); n > 0 {
			_, _ = p.x.CancelList(p.now, a, &CancelListRequest{Symbol: p.symbol, ListID: Some(p.lists[c.Acct][n-1-c.Ref%min(n, 5)])})
		}
	case c.Kind == 23 && c.Ref%4 == 0:
		ref := Opt{}
		if c.Ref%40 == 0 {
			ref = Some(p.around())
		}
		_ = p.x.SetReference(p.now, p.symbol, ref)
	case c.Kind < 22 && c.Ref%10 == 0:
		_, _ = p.x.CancelAll(p.now, a, p.symbol)
	default:
		p.x.Advance(p.now + Micros(c.Wait)*millisecond)
		p.now = p.x.Now()
	}
}
