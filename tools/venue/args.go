package venue

import (
	"errors"
	"strconv"
	"unicode"
	"unicode/utf8"

	"riposte/tools/venue/exchange"
)

// Legal ranges as the venue prints them in -1100.
const (
	legalNumber = `^([0-9]{1,20})(\.[0-9]{1,20})?$`
	legalInt    = `^[0-9]{1,20}$`
	legalSymbol = `^[\w\-._&&[^a-z]]{1,50}$`
	legalID     = `^[a-zA-Z0-9-_]{1,36}$`
)

// text is an optional parameter; sent but empty is -1105.
func (c *call) text(name string) (string, bool, *apiError) {
	v, ok := c.p.get(name)
	if ok && v == "" {
		return "", true, bad(-1105, "Parameter '%s' was empty.", name)
	}
	return v, ok, nil
}

// need is a mandatory parameter.
func (c *call) need(name string) (string, *apiError) {
	v, ok := c.p.get(name)
	if !ok || v == "" {
		return "", errMandatory(name)
	}
	return v, nil
}

// symbol is the mandatory symbol, checked for its characters but not for its existence.
func (c *call) symbol() (string, *apiError) {
	v, err := c.need("symbol")
	if err != nil {
		return "", err
	}
	if !legalSymbolText(v) {
		return "", errIllegal("symbol", legalSymbol)
	}
	return v, nil
}

// legalSymbolText allows letters and digits of any script but no lower-case ASCII: symbols may be Unicode (2025-12-02).
func legalSymbolText(s string) bool {
	if s == "" || len(s) > 200 || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z':
			return false
		case r == '-' || r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		default:
			return false
		}
	}
	return true
}

// market is a mandatory symbol that the venue serves.
func (c *call) market() (string, *apiError) {
	v, err := c.symbol()
	if err != nil {
		return "", err
	}
	if c.srv.static.find(v) == nil {
		return "", errSymbol()
	}
	return v, nil
}

func (c *call) fixed(name string) (exchange.Opt, *apiError) {
	v, ok, err := c.text(name)
	if !ok || err != nil {
		return exchange.Opt{}, err
	}
	n, perr := exchange.ParseFixed(v)
	switch {
	case perr == nil:
		return exchange.Some(n), nil
	case errors.Is(perr, exchange.ErrPrecision):
		return exchange.Opt{}, bad(-1111, "Parameter '%s' has too much precision.", name)
	case errors.Is(perr, exchange.ErrOverflow):
		return exchange.Opt{}, bad(-1108, "Parameter '%s' overflowed.", name)
	}
	return exchange.Opt{}, errIllegal(name, legalNumber)
}

func (c *call) int(name string) (exchange.Opt, *apiError) {
	v, ok, err := c.text(name)
	if !ok || err != nil {
		return exchange.Opt{}, err
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return exchange.Opt{}, errIllegal(name, legalInt)
		}
	}
	n, perr := strconv.ParseInt(v, 10, 64)
	if perr != nil {
		return exchange.Opt{}, bad(-1108, "Parameter '%s' overflowed.", name)
	}
	return exchange.Some(n), nil
}

// limit reads a list length: default d, cut to most.
func (c *call) limit(d, most int) (int, *apiError) {
	v, err := c.int("limit")
	if err != nil || !v.Set {
		return d, err
	}
	if v.V < 1 {
		return 0, bad(-1130, "Data sent for parameter 'limit' is not valid.")
	}
	return int(min(v.V, int64(most))), nil
}

func (c *call) instant(name string) (exchange.Opt, *apiError) {
	v, ok, err := c.text(name)
	if !ok || err != nil {
		return exchange.Opt{}, err
	}
	t, err := parseInstant(name, v)
	if err != nil {
		return exchange.Opt{}, err
	}
	return exchange.Some(t), nil
}

// span reads startTime and endTime; most, if not 0, is the longest span in hours (-1127).
func (c *call) span(most int64) (start, end exchange.Opt, err *apiError) {
	if start, err = c.instant("startTime"); err != nil {
		return start, end, err
	}
	if end, err = c.instant("endTime"); err != nil {
		return start, end, err
	}
	if start.Set && end.Set {
		if end.V < start.V {
			return start, end, bad(-1128, "Combination of optional parameters invalid.")
		}
		if most > 0 && end.V-start.V > most*3600*1_000_000 {
			return start, end, bad(-1127, "More than %d hours between startTime and endTime.", most)
		}
	}
	return start, end, nil
}

// clientID reads a client order id.
func (c *call) clientID(name string) (string, *apiError) {
	v, ok, err := c.text(name)
	if !ok || err != nil {
		return "", err
	}
	if len(v) > 36 {
		return "", errIllegal(name, legalID)
	}
	for i := range len(v) {
		ch := v[i]
		if ch != '-' && ch != '_' && (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') {
			return "", errIllegal(name, legalID)
		}
	}
	return v, nil
}

// flag reads a boolean, d if absent.
func (c *call) flag(name string, d bool) (bool, *apiError) {
	v, ok, err := c.text(name)
	if !ok || err != nil {
		return d, err
	}
	switch v {
	case "true", "TRUE":
		return true, nil
	case "false", "FALSE":
		return false, nil
	}
	return d, errIllegal(name, "^(true|false)$")
}
