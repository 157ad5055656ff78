package app

import (
	"io"
	"net/http"
	"strconv"
	"testing"
)

// TestARestartInAMinuteThatIsAlmostUsedUpRecoversInIt: a former run, or whoever shares the
// address, has used 80 % of the minute's weight. Time, rules, own orders and account are
// read in what is left, and books come with the next minute.
func TestARestartInAMinuteThatIsAlmostUsedUpRecoversInIt(t *testing.T) {
	o := newOutside(t)
	const most = 6000
	used := func() int {
		r, err := http.Get(o.srv.REST() + "/api/v3/ping")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		_, _ = io.Copy(io.Discard, r.Body)
		n, err := strconv.Atoi(r.Header.Get("X-Mbx-Used-Weight-1m"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for try := 0; ; try++ {
		for used() < most*80/100 {
			r, err := http.Get(o.srv.REST() + "/api/v3/depth?symbol=BTCUSDT&limit=5000")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		cfg, err := loadConfig(o.config)
		if err != nil {
			t.Fatal(err)
		}
		d, err := openDesk(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "an audit", func() bool { v := d.dealer.view(); return v != nil && v.audits > 0 })
		after := used()
		audited := d.dealer.view().audits
		d.end(t)
		if after < most*80/100 && try < 3 {
			continue // the minute ended meanwhile, and shows nothing
		}
		if after < most*80/100 || audited == 0 {
			t.Errorf("recovered only in the next minute: %d of %d used after it", after, most)
		}
		t.Logf("recovered at %d of %d used", after, most)
		return
	}
}
