package venue

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMarketDataEndpoints(t *testing.T) {
	s := venueOf(t, nil)
	c := restOf(t, s)
	for _, k := range []struct{ target, fields string }{
		{"/api/v3/ping", ""},
		{"/api/v3/time", "serverTime"},
		{"/api/v3/exchangeInfo", "timezone serverTime rateLimits exchangeFilters symbols"},
		{"/api/v3/depth?symbol=BTCUSDT&limit=5", "lastUpdateId bids asks"},
		{"/api/v3/avgPrice?symbol=BTCUSDT", "mins price closeTime"},
		{"/api/v3/ticker/price?symbol=BTCUSDT", "symbol price"},
		{"/api/v3/ticker/bookTicker?symbol=BTCUSDT", "symbol bidPrice bidQty askPrice askQty"},
		{"/api/v3/ticker/24hr?symbol=BTCUSDT", "symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice bidQty askPrice askQty openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI", "symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker?symbol=BTCUSDT&windowSize=1h", "symbol priceChange priceChangePercent weightedAvgPrice lastPrice openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker/tradingDay?symbol=BTCUSDT&timeZone=8", "symbol priceChange priceChangePercent weightedAvgPrice lastPrice openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker/tradingDay?symbol=BTCUSDT&type=MINI", "symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count"},
	} {
		r := c.get(k.target)
		if r.status != 200 || keysOf(t, r.body) != sorted(k.fields) {
			t.Errorf("%s: got %d %.300s, want fields %s", k.target, r.status, r.body, k.fields)
		}
	}
	for _, target := range []string{"/api/v3/trades?symbol=BTCUSDT&limit=3", "/api/v3/historicalTrades?symbol=BTCUSDT&limit=3", "/api/v3/aggTrades?symbol=BTCUSDT&limit=3",
		"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3", "/api/v3/uiKlines?symbol=BTCUSDT&interval=1m&limit=3&timeZone=-1:00",
		"/api/v3/ticker/price", "/api/v3/ticker/bookTicker?symbols=" + escape(`["BTCUSDT","ETHUSDT"]`), "/api/v3/ticker/24hr"} {
		var list []json.RawMessage
		r := c.get(target)
		r.into(t, &list)
		if strings.Contains(target, "klines") && len(list) != 3 || strings.Contains(target, "ticker") && len(list) != 2 {
			t.Errorf("%s: got %d entries: %.300s", target, len(list), r.body)
		}
	}
	var depth struct{ Bids, Asks [][2]string }
	c.get("/api/v3/depth?symbol=BTCUSDT&limit=5").into(t, &depth)
	if len(depth.Bids) != 5 || len(depth.Asks) != 5 || depth.Bids[0][0] <= depth.Bids[4][0] || depth.Asks[0][0] >= depth.Asks[4][0] {
		t.Errorf("got %v, want 5 levels a side, best first", depth)
	}
}

// The day is that of the time zone; a rolling window opens on a minute.
func TestTickerWindowsOpenWhereTheVenueSays(t *testing.T) {
	s := venueOf(t, nil)
	c := restOf(t, s)
	const minute, day = 60_000, 24 * 3600 * 1000
	var tk struct{ OpenTime, CloseTime int64 }
	for zone, offset := range map[string]int64{"0": 0, "8": 8 * 60 * minute, "-1:00": -60 * minute} {
		c.get("/api/v3/ticker/tradingDay?symbol=BTCUSDT&timeZone="+zone).into(t, &tk)
		now := s.Now() / 1000
		if (tk.OpenTime+offset)%day != 0 || tk.CloseTime != tk.OpenTime+day-1 || now < tk.OpenTime || now > tk.CloseTime+day {
			t.Errorf("zone %s: got %+v at %d, want the day around it", zone, tk, now)
		}
	}
	c.get("/api/v3/ticker?symbol=BTCUSDT&windowSize=1h").into(t, &tk)
	if wide := tk.CloseTime - tk.OpenTime; tk.OpenTime%minute != 0 || wide < 60*minute || wide >= 61*minute {
		t.Errorf("got %+v, want an hour and less than a minute from a full minute on", tk)
	}
	if code, _ := c.get("/api/v3/ticker/tradingDay").code(t); code != -1102 {
		t.Errorf("got %d without a symbol, want -1102", code)
	}
	if code, _ := c.get("/api/v3/ticker/tradingDay?symbol=BTCUSDT&timeZone=15:00").code(t); code != -1130 {
		t.Errorf("got %d for a zone that is none, want -1130", code)
	}
}

func TestNothingIsTradedInBlocksOrOnMargin(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	for _, target := range []string{"/api/v3/historicalBlockTrades?symbol=BTCUSDT&fromId=1", "/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs"} {
		if r := c.get(target); r.status != 200 || string(r.body) != "[]" {
			t.Errorf("%s: got %d %s, want []", target, r.status, r.body)
		}
	}
	if code, msg := c.get("/api/v3/historicalBlockTrades?symbol=BTCUSDT").code(t); code != -1102 || !strings.Contains(msg, "'fromId'") {
		t.Errorf("got %d %s, want fromId asked for", code, msg)
	}
}

func TestMarketDataErrors(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	two := escape(`["BTCUSDT","ETHUSDT"]`)
	for _, k := range []struct {
		target string
		code   int
	}{
		{"depth", -1102}, {"depth?symbol=NOPE", -1121}, {"depth?symbol=bt", -1100}, {"depth?symbol=BTCUSDT&limit=x", -1100},
		{"klines?symbol=BTCUSDT", -1102}, {"klines?symbol=BTCUSDT&interval=2m", -1120}, {"klines?symbol=BTCUSDT&interval=1m&timeZone=15:00", -1130},
		{"klines?symbol=BTCUSDT&interval=1m&startTime=5&endTime=4", -1128},
		{"aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", -1128},
		{"ticker/24hr?symbol=BTCUSDT&symbols=" + two, -1128}, {"ticker/24hr?symbol=BTCUSDT&type=BIG", -1139},
		{"ticker/price?symbols=" + escape(`["BTCUSDT","BTCUSDT"]`), -1151}, {"ticker/price?symbols=BTCUSDT", -1135},
		{"ticker/price?symbols=" + escape(`["NOPE"]`), -1121}, {"ticker/price?symbolStatus=OPEN", -1122},
		{"ticker/price?symbol=BTCUSDT&symbolStatus=HALT", -1220}, {"ticker", -1102}, {"ticker?symbol=BTCUSDT&windowSize=90m", -1130},
		{"exchangeInfo?symbol=BTCUSDT&permissions=SPOT", -1128}, {"exchangeInfo?symbol=BTCUSDT&symbolStatus=TRADING", -1128},
	} {
		r := c.get("/api/v3/" + k.target)
		if code, msg := r.code(t); r.status != 400 || code != k.code {
			t.Errorf("%s: got %d %d %s, want 400 %d", k.target, r.status, code, msg, k.code)
		}
	}
	var none []json.RawMessage
	if c.get("/api/v3/ticker/price?symbolStatus=HALT").into(t, &none); len(none) != 0 {
		t.Errorf("got %d symbols in HALT, want none", len(none))
	}
}
