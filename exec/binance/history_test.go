package binance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"riposte/core"
)

// pastVenue answers allOrders and myTrades as the venue does: by id, or a window of 24 h
// at most, oldest first, 1000 at most (Binance Spot API docs, 2026-07-21).
func pastVenue(t *testing.T, at []core.WallNs) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		num := func(name string) (n int64, ok bool) {
			_, err := fmt.Sscan(q.Get(name), &n)
			return n, err == nil
		}
		idName, item := "orderId", strings.Replace(orderBody, `"orderId":7`, `"orderId":%d`, 1)
		item = strings.Replace(item, `"time":1499827319559`, `"time":%d`, 1)
		if strings.HasSuffix(r.URL.Path, "myTrades") {
			idName, item = "fromId", strings.NewReplacer(`"id":28457`, `"id":%d`, `"time":1499865549590`, `"time":%d`).Replace(tradeBody)
		}
		from, byID := num(idName)
		start, _ := num("startTime")
		end, ranged := num("endTime")
		if byID == ranged || ranged && end-start > 24*3600*1000 {
			t.Errorf("asked %s", r.URL.RawQuery)
		}
		var page []string
		for i, ns := range at {
			ms := int64(ns) / 1e6
			if id := int64(i + 1); len(page) < 1000 && (byID && id >= from || ranged && ms >= start && ms <= end) {
				page = append(page, fmt.Sprintf(item, id, ms))
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "["+strings.Join(page, ",")+"]")
	}
}

func TestThePastIsReadWholeWhateverItsShape(t *testing.T) {
	const hour = core.WallNs(time.Hour)
	const start = core.WallNs(1500000000000e6)
	spread := func(n int, step core.WallNs) (at []core.WallNs) {
		for i := range n {
			at = append(at, start+core.WallNs(i)*step)
		}
		return at
	}
	for name, tc := range map[string]struct {
		at    []core.WallNs
		start core.WallNs
		end   core.WallNs
		want  int
	}{
		"nothing":                   {nil, start, start + 50*hour, 0},
		"some a day":                {spread(100, hour), start, start + 72*hour, 72},
		"on the edges of windows":   {spread(5, 24*hour), start, start + 96*hour, 4},
		"just before and after":     {[]core.WallNs{start - 1e6, start, start + 24*hour - 1e6, start + 24*hour, start + 30*hour - 1e6, start + 30*hour}, start, start + 30*hour, 4},
		"a page exactly":            {spread(1000, 1e6), start, start + hour, 1000},
		"more than a page a day":    {spread(2500, 1e6), start, start + 48*hour, 2500},
		"all in one millisecond":    {spread(2500, 0), start, start + hour, 2500},
		"a busy day and later ones": {append(spread(1500, 1e6), start+40*hour, start+60*hour), start, start + 50*hour, 1501},
	} {
		v, r := newRESTVenue(t, false)
		v.serve = pastVenue(t, tc.at)
		os, err := r.OrdersBetween(t.Context(), "ETHBTC", tc.start, tc.end)
		ids := map[int64]bool{}
		for _, o := range os {
			ids[o.VenueID] = true
		}
		if err != nil || len(os) != tc.want || len(ids) != tc.want {
			t.Errorf("%s: %d orders with %d ids, %v, want %d", name, len(os), len(ids), err, tc.want)
		}
		ts, err := r.AccountTradesBetween(t.Context(), "ETHBTC", tc.start, tc.end)
		if err != nil || len(ts) != tc.want || len(ts) > 0 && (ts[0].FeeAsset != "BNB" || ts[0].Buyer || !ts[0].Maker || ts[0].Fee != 10000) {
			t.Errorf("%s: %d trades, %v, want %d", name, len(ts), err, tc.want)
		}
		all, err := r.OrdersFrom(t.Context(), "ETHBTC", 3)
		if err != nil || len(all) != max(0, len(tc.at)-2) {
			t.Errorf("%s: %d orders from id 3 on, %v, want %d", name, len(all), err, max(0, len(tc.at)-2))
		}
	}
	_, r := newRESTVenue(t, false)
	if _, err := r.OrdersBetween(t.Context(), "ETHBTC", 0, start); err == nil {
		t.Error("the whole past since 1970 was asked for day by day")
	}
}

// A venue that answers the same page for ever must not hold us for ever.
func TestAPageThatLeadsNowhereEndsTheReading(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.body(200, "["+strings.TrimSuffix(strings.Repeat(orderBody+",", pageMax), ",")+"]")
	if _, err := r.OrdersFrom(t.Context(), "ETHBTC", 100); err == nil || len(v.calls) != 1 {
		t.Errorf("got %v after %d calls", err, len(v.calls))
	}
}
