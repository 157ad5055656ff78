package venue

import (
	"fmt"

	"riposte/tools/venue/exchange"
)

// What a judge of a client asks of the venue: all of it, at once, without lag and limits.

// AllOrders are all orders of an account, ended ones too, by symbol and order id.
func (s *Server) AllOrders(account string) ([]exchange.Order, error) {
	return ask(s, account, func(a exchange.AccountID) (all []exchange.Order, err error) {
		for _, m := range s.hub.order {
			for from := int64(0); ; {
				list, rej := s.x.AllOrders(a, m.name, exchange.OrderQuery{OrderID: exchange.Some(from), Limit: 1000})
				if rej != nil {
					return nil, rej
				}
				all = append(all, list...)
				if len(list) < 1000 {
					break
				}
				from = list[len(list)-1].OrderID + 1
			}
		}
		return all, nil
	})
}

// AllTrades are all fills of an account, by symbol and trade id.
func (s *Server) AllTrades(account string) ([]exchange.UserTrade, error) {
	return ask(s, account, func(a exchange.AccountID) (all []exchange.UserTrade, err error) {
		for _, m := range s.hub.order {
			for from := int64(0); ; {
				list, rej := s.x.MyTrades(a, m.name, exchange.TradeQuery{FromID: exchange.Some(from), Limit: 1000})
				if rej != nil {
					return nil, rej
				}
				all = append(all, list...)
				if len(list) < 1000 {
					break
				}
				from = list[len(list)-1].ID + 1
			}
		}
		return all, nil
	})
}

// Deposit adds to an account's balance, as money that comes from outside. amount is a
// decimal text.
func (s *Server) Deposit(account, asset, amount string) error {
	v, err := exchange.ParseFixed(amount)
	if err != nil {
		return fmt.Errorf("cannot deposit %q of %s: %w", amount, asset, err)
	}
	a, err := s.account(account)
	if err != nil {
		return err
	}
	if !s.loop.do(func(now int64) {
		if err = s.x.Deposit(now, a, asset, v); err == nil {
			s.users.emit(a, "balance", "", func(b []byte, us bool) []byte { return appendBalanceUpdate(b, asset, v, now, us) })
		}
	}) {
		return errVenueClosed
	}
	return err
}

// Place has somebody on an account place an order without a socket between: a person, or
// another program. It returns the venue's id.
func (s *Server) Place(account string, r *exchange.NewOrder) (id int64, err error) {
	a, err := s.account(account)
	if err != nil {
		return 0, err
	}
	ok := s.loop.do(func(now int64) {
		placed, rej := s.x.Place(now, a, r)
		if rej != nil {
			err = rej
			return
		}
		id = placed.OrderID
	})
	if !ok {
		return 0, errVenueClosed
	}
	return id, err
}

// Cancel takes an order back as Place has placed it.
func (s *Server) Cancel(account, symbol string, id int64) error {
	a, err := s.account(account)
	if err != nil {
		return err
	}
	ok := s.loop.do(func(now int64) {
		if _, rej := s.x.Cancel(now, a, &exchange.CancelRequest{Symbol: symbol, OrderID: exchange.Some(id)}); rej != nil {
			err = rej
		}
	})
	if !ok {
		return errVenueClosed
	}
	return err
}
