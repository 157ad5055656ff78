package binance

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

// anyIntent draws an order that the venue could take: every type with what belongs to it.
func anyIntent(t *rapid.T) core.Intent {
	in := core.Intent{
		Kind: core.Place, Type: core.OrderType(rapid.IntRange(0, int(core.TakeProfitLimit)).Draw(t, "type")),
		Side: core.Side(rapid.IntRange(0, 1).Draw(t, "side")), Instrument: core.InstrumentID(rapid.IntRange(0, 3).Draw(t, "instrument")),
		Qty: core.Qty(rapid.Int64Range(2, 1<<50).Draw(t, "qty")), STP: core.STP(rapid.IntRange(0, int(core.STPTransfer)).Draw(t, "stp")),
		LifeUs: rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32Range(1000, 90_000_000)).Draw(t, "life"),
	}
	if hasPrice(in.Type) {
		in.Price = core.Price(rapid.Int64Range(1, math.MaxInt64).Draw(t, "price"))
		if rapid.Bool().Draw(t, "iceberg") {
			in.Iceberg = core.Qty(rapid.Int64Range(1, int64(in.Qty)-1).Draw(t, "shown"))
		}
	}
	if hasTIF(in.Type) && in.Iceberg == 0 {
		in.TIF = core.TIF(rapid.IntRange(0, 2).Draw(t, "tif"))
	}
	if in.Type >= core.StopLoss {
		how := rapid.IntRange(1, 3).Draw(t, "trigger")
		if how&1 != 0 {
			in.Stop = core.Price(rapid.Int64Range(1, math.MaxInt64).Draw(t, "stop"))
		}
		if how&2 != 0 {
			in.Trail = rapid.Uint16Range(1, math.MaxUint16).Draw(t, "trail")
		}
	}
	return in
}

// orderParams are the parameters that say what in asks for, whatever the transport.
func orderParams(in *core.Intent, symbol string) url.Values {
	v := url.Values{"symbol": {symbol}, "side": {in.Side.String()}, "type": {in.Type.String()}, "quantity": {in.Qty.String()}, "newOrderRespType": {"FULL"}}
	if hasTIF(in.Type) {
		v.Set("timeInForce", in.TIF.String())
	}
	if in.Price > 0 {
		v.Set("price", in.Price.String())
	}
	if in.Stop > 0 {
		v.Set("stopPrice", in.Stop.String())
	}
	if in.Trail > 0 {
		v.Set("trailingDelta", fmt.Sprint(in.Trail))
	}
	if in.Iceberg > 0 {
		v.Set("icebergQty", in.Iceberg.String())
	}
	if in.STP != core.STPDefault {
		v.Set("selfTradePreventionMode", in.STP.String())
	}
	return v
}

// checkLife takes what a request says of time out of q and holds it against the life of
// the order: it must end then, and at most a millisecond sooner.
func checkLife(t rapid.TB, q url.Values, in *core.Intent, born, now core.WallNs, usual time.Duration) {
	t.Helper()
	stamp, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if err != nil || core.WallNs(stamp*1e6) > now {
		t.Fatalf("timestamp is %q, want one not after %d", q.Get("timestamp"), now/1e6)
	}
	whole, frac, _ := strings.Cut(q.Get("recvWindow"), ".")
	window, err := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64) // µs
	if err != nil || len(frac) > 3 || window <= 0 || window > 60_000_000 {
		t.Fatalf("recvWindow is %q, want a decimal above 0, at most 60000, with 3 decimals", q.Get("recvWindow"))
	}
	life := usual
	if in.LifeUs > 0 {
		life = min(time.Duration(in.LifeUs)*time.Microsecond, time.Minute)
	}
	end, wantEnd := core.WallNs(stamp*1e6+window*1e3), born+core.WallNs(life)
	if end > wantEnd || end < wantEnd-2e6 {
		t.Fatalf("the venue may act until %d, want at most 2 ms before %d (life %v)", end, wantEnd, life)
	}
	q.Del("timestamp")
	q.Del("recvWindow")
}

func TestAnyOrderIsReadBackAsTheIntentAndDiesWithItsLife(t *testing.T) {
	keys := []*Key{hmacKey(t), edKey(t)}
	rapid.Check(t, func(rt *rapid.T) {
		key := keys[rapid.IntRange(0, 1).Draw(rt, "key")]
		c := codec(t, key, 0)
		for range 4 {
			in := anyIntent(rt)
			now := venueNow + core.WallNs(rapid.Int64Range(0, 1e10).Draw(rt, "now"))
			life := core.WallNs(5 * time.Second)
			if in.LifeUs > 0 {
				life = core.WallNs(in.LifeUs) * 1000
			}
			born := now - core.WallNs(rapid.Int64Range(0, int64(life)-1).Draw(rt, "waited"))
			var r exec.Request
			e := c.Place(&in, born, now, &r)
			if over := min(life, core.WallNs(time.Minute)) - (now - born); over < 1000 {
				if over <= 0 && e != exec.EncodeLate {
					rt.Fatalf("an order of %v that had waited %v: got %v, want late", life, now-born, e)
				}
				continue
			}
			if e != exec.EncodeOK {
				rt.Fatal(e)
			}
			q := checkRequest(rt, r.Bytes, key)
			if end := r.Stamp + core.WallNs(r.Window); end > born+life {
				rt.Fatalf("the request is said to end at %d, want at most %d", end, born+life)
			}
			checkLife(rt, q, &in, born, now, 5*time.Second)
			want := orderParams(&in, c.instruments.Get(in.Instrument).Symbol)
			want.Set("newClientOrderId", r.Client.String())
			if q.Encode() != want.Encode() {
				rt.Fatalf("request says %v, want %v", q, want)
			}
		}
	})
}

func TestAnOrderWhoseLifeIsOverIsNotSigned(t *testing.T) {
	c := codec(t, hmacKey(t), 8)
	plain := limit(100_00000000, 1_00000000)
	brief := plain
	brief.LifeUs = 15_000
	for _, tc := range []struct {
		in     core.Intent
		waited time.Duration
		want   exec.EncodeError
	}{
		{plain, 0, exec.EncodeOK},
		{plain, 5*time.Second - 1, exec.EncodeOK},
		{plain, 5 * time.Second, exec.EncodeLate},
		{brief, 14_999 * time.Microsecond, exec.EncodeOK},
		{brief, 15 * time.Millisecond, exec.EncodeLate},
		{brief, time.Hour, exec.EncodeLate},
	} {
		var r exec.Request
		if e := c.Place(&tc.in, venueNow-core.WallNs(tc.waited), venueNow, &r); e != tc.want {
			t.Errorf("life %d µs, %v after the decision: got %v, want %v", tc.in.LifeUs, tc.waited, e, tc.want)
		}
	}
}

// TestARungSignedAfterTheDecisionIsNotUsed: an order that waits for a wire while its
// price is signed ahead would live longer than it should.
func TestARungSignedAfterTheDecisionIsNotUsed(t *testing.T) {
	d := newDesk(t, 8)
	d.place(0)
	d.idle()
	born := d.now - 1e6
	d.in.Price = 100_00000000
	if e := d.c.Place(&d.in, born, d.now, &d.req); e != exec.EncodeOK || d.req.Presigned || d.req.Stamp != born {
		t.Errorf("got %v, signed ahead %v, stamped %d, want an order signed now and stamped %d", e, d.req.Presigned, d.req.Stamp, born)
	}
	d.expect("decided after it was signed", 0, true)
}

func TestLonghandDoesNotAllocate(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	in := core.Intent{Type: core.TakeProfitLimit, Price: 61837_64000000, Stop: 61836_64000000, Qty: 35210000, Iceberg: 35210, Trail: 12, STP: core.STPExpireMaker, LifeUs: 15_350}
	var r exec.Request
	if n := testing.AllocsPerRun(200, func() {
		in.Price++
		if c.Place(&in, venueNow-1e6, venueNow, &r) != exec.EncodeOK {
			t.Fatal("an order was refused")
		}
	}); n != 0 {
		t.Errorf("an order in longhand allocates %v times, want 0", n)
	}
}

func BenchmarkLonghand(b *testing.B) {
	c := codec(b, hmacKey(b), 0)
	in := core.Intent{Type: core.StopLossLimit, Price: 61837_64000000, Stop: 61836_64000000, Qty: 35210000, LifeUs: 15_000}
	var r exec.Request
	b.ReportAllocs()
	for b.Loop() {
		in.Price++
		c.Place(&in, venueNow, venueNow, &r)
	}
}
