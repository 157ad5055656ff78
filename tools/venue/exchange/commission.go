package exchange

import "fmt"

// commissionToken is the asset in which an account may pay its commissions at a discount.
const commissionToken = "BNB"

// defaultDiscount is what a commission paid in the token is multiplied by.
const defaultDiscount Fixed = One * 3 / 4

// charge is a commission: how much of which asset number.
type charge struct {
	amount Fixed
	asset  int
}

// commission is what an account pays for receiving got of an asset at a rate. With
// payment in BNB switched on and enough of it free, all of it is charged in BNB at the
// discount; else in full in the received asset (Binance Spot API docs, commission FAQ,
// 2026-07-21). Whether the discount is the part that is paid or the part that is
// spared is told both ways there; here it is the part that is paid.
func (x *Exchange) commission(a *account, asset int, got, rate Fixed) charge {
	full := charge{mul(got, rate), asset}
	if !a.payBNB {
		return full
	}
	token, ok := x.assetNo[commissionToken]
	if !ok {
		return full
	}
	if v, ok := x.worth(token, asset, mul(full.amount, x.discount)); ok && v <= a.free(token) {
		return charge{v, token}
	}
	return full
}

// worth is what amount of an asset is in token, by the last trades of one symbol or
// else of two with an asset between. Which price the venue takes is not documented.
func (x *Exchange) worth(token, asset int, amount Fixed) (Fixed, bool) {
	if v, ok := x.hop(token, asset, amount); ok {
		return v, true
	}
	for _, in := range x.insts {
		between := in.quote
		if between == asset {
			between = in.base
		}
		if between == token || in.base != asset && in.quote != asset {
			continue
		}
		if v, ok := in.exchanged(asset, amount); ok {
			if v, ok = x.hop(token, between, v); ok {
				return v, true
			}
		}
	}
	return 0, false
}

// hop is worth over one symbol at most.
func (x *Exchange) hop(token, asset int, amount Fixed) (Fixed, bool) {
	if asset == token {
		return amount, true
	}
	for _, in := range x.insts {
		if in.base == asset && in.quote == token || in.base == token && in.quote == asset {
			if v, ok := in.exchanged(asset, amount); ok {
				return v, true
			}
		}
	}
	return 0, false
}

// exchanged is what amount of one of the instrument's assets is in the other one.
func (in *instrument) exchanged(asset int, amount Fixed) (Fixed, bool) {
	switch price := in.tape.last; {
	case price <= 0:
		return 0, false
	case asset == in.base:
		return mulDiv(amount, price, One)
	default:
		return mulDiv(amount, One, price)
	}
}

// SetPayBNB switches an account's payment of commissions in BNB.
func (x *Exchange) SetPayBNB(now Micros, id AccountID, on bool) error {
	a := x.account(id)
	if a == nil {
		return fmt.Errorf("cannot switch commissions of account %d: want a known account", id)
	}
	verb := "payBNB off"
	if on {
		verb = "payBNB on"
	}
	x.command(now, verb, id, "")
	a.payBNB = on
	x.log.flush()
	return nil
}
