package venue

import (
	"strconv"
	"strings"
	"time"

	"riposte/tools/venue/exchange"
)

// streamKind is what a stream carries.
type streamKind uint8

const (
	streamNone streamKind = iota // accepted, never sends: unknown symbol or a kind that has no events here
	streamTrade
	streamAggTrade
	streamBookTicker
	streamDepth
	streamPartial
	streamKline
	streamTicker
	streamMiniTicker
	streamRollTicker
	streamAvgPrice
	streamReference
	streamMiniTickers // !miniTicker@arr
	streamRollTickers // !ticker_<w>@arr
)

// streamSpec is a parsed stream name.
type streamSpec struct {
	kind     streamKind
	symbol   string // upper case; empty for the streams over all symbols
	fast     bool   // depth and partial depth: the 100 ms form
	levels   int    // partial depth
	interval exchange.Interval
	ivName   string
	offset   int64         // klines: µs to add to UTC
	window   time.Duration // rolling tickers
	winName  string
}

// parseStream reads a stream name such as "btcusdt@depth5@100ms". Symbols are lower case in names and names are case
// sensitive (Binance Spot API docs, 2026-07-21): a wrong case is a stream that never sends. ok is false for a name
// that is no stream at all.
func parseStream(name string, fast time.Duration) (sp streamSpec, ok bool) {
	if rest, all := strings.CutPrefix(name, "!"); all {
		switch {
		case rest == "miniTicker@arr":
			return streamSpec{kind: streamMiniTickers}, true
		case strings.HasPrefix(rest, "ticker_") && strings.HasSuffix(rest, "@arr"):
			sp.winName = strings.TrimSuffix(strings.TrimPrefix(rest, "ticker_"), "@arr")
			if sp.window, ok = rollWindow(sp.winName); ok {
				sp.kind = streamRollTickers
			}
			return sp, ok
		}
		return sp, false
	}
	symbol, what, found := strings.Cut(name, "@")
	if !found || symbol == "" || what == "" {
		return sp, false
	}
	if symbol == strings.ToLower(symbol) {
		sp.symbol = strings.ToUpper(symbol)
	}
	switch what {
	case "trade":
		sp.kind = streamTrade
	case "aggTrade":
		sp.kind = streamAggTrade
	case "bookTicker":
		sp.kind = streamBookTicker
	case "ticker":
		sp.kind = streamTicker
	case "miniTicker":
		sp.kind = streamMiniTicker
	case "avgPrice":
		sp.kind = streamAvgPrice
	case "referencePrice":
		sp.kind = streamReference
	case "blockTrade":
		sp.kind = streamNone
	default:
		switch {
		case strings.HasPrefix(what, "depth"):
			return sp.depth(strings.TrimPrefix(what, "depth"), fast)
		case strings.HasPrefix(what, "kline_"):
			return sp.kline(strings.TrimPrefix(what, "kline_"))
		case strings.HasPrefix(what, "ticker_"):
			sp.winName = strings.TrimPrefix(what, "ticker_")
			sp.window, ok = rollWindow(sp.winName)
			sp.kind = streamRollTicker
			return sp, ok
		}
		return sp, false
	}
	return sp, true
}

// depth reads what follows "depth": levels and speed. Besides 100ms and 1000ms the configured fast speed may be named.
func (sp streamSpec) depth(rest string, fast time.Duration) (streamSpec, bool) {
	levels, speed, hasSpeed := strings.Cut(rest, "@")
	switch levels {
	case "":
		sp.kind = streamDepth
	case "5", "10", "20":
		sp.kind = streamPartial
		sp.levels, _ = strconv.Atoi(levels)
	default:
		return sp, false
	}
	if hasSpeed {
		switch speed {
		case "100ms", strconv.FormatInt(fast.Milliseconds(), 10) + "ms":
			sp.fast = true
		case "1000ms":
		default:
			return sp, false
		}
	}
	return sp, true
}

func (sp streamSpec) kline(rest string) (streamSpec, bool) {
	iv, zone, hasZone := strings.Cut(rest, "@")
	var ok bool
	if sp.interval, ok = exchange.ParseInterval(iv); !ok {
		return sp, false
	}
	sp.kind, sp.ivName = streamKline, iv
	if hasZone {
		if zone != "+08:00" {
			return sp, false
		}
		sp.offset = (8 * time.Hour).Microseconds()
	}
	return sp, true
}

func rollWindow(s string) (time.Duration, bool) {
	switch s {
	case "1h":
		return time.Hour, true
	case "4h":
		return 4 * time.Hour, true
	case "1d":
		return 24 * time.Hour, true
	}
	return 0, false
}
