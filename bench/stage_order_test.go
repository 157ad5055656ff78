package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"riposte/core"
	"riposte/exec"
	dialect "riposte/exec/binance"
)

// signature is what a request's payload must be signed with, by the standard
// library.
func signature(payload []byte) string {
	h := hmac.New(sha256.New, []byte(TestSecret))
	h.Write(payload)
	return hex.EncodeToString(h.Sum(nil))
}

// checkSigned looks at a whole request: its signature and the order in it.
func checkSigned(req []byte, price core.Price, qty core.Qty) error {
	o, ok := ParseOrder(req)
	if !ok || string(o.Price) != price.String() || string(o.Qty) != qty.String() {
		return fmt.Errorf("request %.300q is not an order at %v for %v", req, price, qty)
	}
	_, rest, _ := bytes.Cut(req, []byte("?"))
	payload, sig, _ := bytes.Cut(rest, []byte("&signature="))
	if want := signature(payload); len(sig) < 64 || string(sig[:64]) != want {
		return fmt.Errorf("signature is %.64s, want %s", sig, want)
	}
	return nil
}

// orderTable has as many instruments as keep presigned orders of a realistic number
// of symbols in memory.
func orderTable(t testing.TB) *core.Instruments {
	tab := core.NewInstruments()
	for _, s := range []string{"BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "LTCUSDT", "DOGEUSDT"} {
		in := core.Instrument{Symbol: s, Status: core.StatusTrading, Filters: core.Filters{Tick: core.Scale / 100, Lot: 1000}}
		if _, err := tab.Add(in); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

func codec(t testing.TB, tab *core.Instruments, rungs int) *dialect.Codec {
	key, err := TestKey()
	if err != nil {
		t.Fatal(err)
	}
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dialect.NewCodec(dialect.Config{Instruments: tab, URL: rigURL, Key: key, IDs: ids, Rungs: rungs})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	orderPrice = core.Price(6_183_764_000_000)
	orderStamp = core.WallNs(1_723_161_255_000_000_000)
)

// encodeWork lays out and signs orders that nobody foresaw: not even their quantity is
// that of the last one.
func encodeWork(t testing.TB) *work {
	tab := orderTable(t)
	c := codec(t, tab, 0)
	var req exec.Request
	var in core.Intent
	failed := 0
	w := &work{items: 4096}
	w.pass = func() {
		for i := range w.items {
			in = core.Intent{Kind: core.Place, Side: core.Side(i & 1), Type: core.Limit, TIF: core.IOC, Instrument: core.InstrumentID(i % len(tab.List)),
				Price: orderPrice + core.Price(i)*core.Scale/100, Qty: 1000 * core.Qty(1+i)}
			if c.Place(&in, orderStamp+core.WallNs(i)*1e6, orderStamp+core.WallNs(i)*1e6, &req) != exec.EncodeOK || req.Presigned {
				failed++
			}
		}
	}
	w.check = func() error {
		if failed != 0 || c.Stats.Hits != 0 {
			return fmt.Errorf("got %d orders that were not laid out, %d signed ahead, want 0", failed, c.Stats.Hits)
		}
		return checkSigned(req.Bytes, in.Price, in.Qty)
	}
	return w
}

// draftedWork is the usual miss: the quantity is as before and there was a pause, so
// that all but price and time had been laid out.
func draftedWork(t testing.TB) *work {
	tab := orderTable(t)
	c := codec(t, tab, 0)
	var req exec.Request
	var last []byte
	var in core.Intent
	failed, n := 0, 0
	w := &work{items: 4096, clock: new(batch)}
	idle := func(now core.WallNs) {
		for c.Idle(now) > 0 {
		}
	}
	w.pass = func() {
		for range w.items / (2 * len(tab.List)) {
			n++
			now := orderStamp + core.WallNs(n)*1e6
			idle(now)
			w.clock.start()
			for i := range tab.List {
				for side := range core.Sell + 1 {
					in = core.Intent{Kind: core.Place, Side: side, Type: core.Limit, TIF: core.IOC, Instrument: core.InstrumentID(i),
						Price: orderPrice + core.Price(n%1000)*core.Scale/100, Qty: 10_000}
					if c.Place(&in, now, now, &req) != exec.EncodeOK || req.Presigned {
						failed++
					}
				}
			}
			w.clock.stop()
			last = append(last[:0], req.Bytes...)
		}
	}
	w.check = func() error {
		if failed != 0 || c.Stats.Hits != 0 {
			return fmt.Errorf("got %d orders that were not laid out, %d signed ahead, want 0", failed, c.Stats.Hits)
		}
		return checkSigned(last, in.Price, in.Qty)
	}
	return w
}

// signWork signs the payload of an order, all of it.
func signWork(t testing.TB) *work {
	key, err := TestKey()
	if err != nil {
		t.Fatal(err)
	}
	s := key.Signer()
	payload := []byte("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&newOrderRespType=FULL&recvWindow=5000&newClientOrderId=rp-000sh1b-00000001&quantity=0.0001&timestamp=1723161255000&price=61837.64")
	dst := make([]byte, 0, 64)
	w := &work{items: 4096, bytes: 4096 * len(payload)}
	w.pass = func() {
		for i := range w.items {
			payload[len(payload)-1] = byte('0' + i%10)
			dst = s.AppendREST(dst[:0], payload)
		}
	}
	w.check = func() error {
		if want := signature(payload); string(dst) != want {
			return fmt.Errorf("got signature %s, want %s", dst, want)
		}
		return nil
	}
	return w
}

// presignedWork takes orders that had been signed ahead: every rung of every ladder
// once, then the ladders are refilled while the clock stands.
func presignedWork(t testing.TB) *work {
	const rungs = 32
	tab := orderTable(t)
	c := codec(t, tab, rungs)
	var in []core.Intent
	for _, inst := range tab.List {
		for side := range core.Sell + 1 {
			for _, off := range []core.Price{0, 1, -1, 2, -2, 3, -3} {
				in = append(in, core.Intent{Kind: core.Place, Side: side, Type: core.Limit, TIF: core.IOC, Instrument: inst.ID,
					Price: orderPrice + off*inst.Filters.Tick, Qty: 100_000})
			}
		}
	}
	var req exec.Request
	missed := 0
	fill := func() {
		for c.Idle(orderStamp) > 0 {
		}
	}
	for i := range tab.List {
		c.Hint(core.InstrumentID(i), []core.Level{{Price: orderPrice}}, []core.Level{{Price: orderPrice}})
	}
	for i := range in { // the first of each ladder says what is to be signed ahead
		if c.Place(&in[i], orderStamp, orderStamp, &req) != exec.EncodeOK {
			t.Fatalf("cannot lay out %+v", in[i])
		}
	}
	fill()
	w := &work{items: 32 * len(in), clock: new(batch)}
	// A request is handed out in the codec's memory; the last is looked at later.
	var last []byte
	w.pass = func() {
		for range w.items / len(in) {
			w.clock.start()
			for i := range in {
				if c.Place(&in[i], orderStamp, orderStamp, &req) != exec.EncodeOK || !req.Presigned {
					missed++
				}
			}
			w.clock.stop()
			last = append(last[:0], req.Bytes...)
			fill()
		}
	}
	w.check = func() error {
		if missed != 0 {
			return fmt.Errorf("got %d orders that had not been signed ahead, want 0", missed)
		}
		end := &in[len(in)-1]
		return checkSigned(last, end.Price, end.Qty)
	}
	return w
}

// BenchmarkEncode is one order laid out in its template and signed: the miss. order
// has to lay out all of it, drafted finds all but price and time laid out and hashed.
func BenchmarkEncode(b *testing.B) {
	stage(b, "order", func(t testing.TB) *work { return encodeWork(t) })
	stage(b, "drafted", func(t testing.TB) *work { return draftedWork(t) })
}

// BenchmarkSign is the signature alone, over a whole payload without a kept prefix.
func BenchmarkSign(b *testing.B) {
	stage(b, "order", func(t testing.TB) *work { return signWork(t) })
}

// BenchmarkPresigned is one order found ready among those signed ahead.
func BenchmarkPresigned(b *testing.B) {
	stage(b, "order", func(t testing.TB) *work { return presignedWork(t) })
}
