package bench

import (
	"fmt"
	"testing"

	"riposte/core"
	"riposte/exec"
	"riposte/feed/binance"
)

// answerWork reads whole HTTP answers to one order, head and body, into what the
// order table takes.
func answerWork(t testing.TB) *work {
	tab := orderTable(t)
	c := codec(t, tab, 0)
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		t.Fatal(err)
	}
	in := core.Intent{Kind: core.Place, Side: core.Buy, Type: core.Limit, TIF: core.IOC, ID: 1, Price: orderPrice, Qty: 100_000}
	var req exec.Request
	if e := c.Place(&in, orderStamp, orderStamp, &req); e != exec.EncodeOK {
		t.Fatal(e)
	}
	o := exec.NewTable(ids, 16, func(*core.Report) {}).Add(&in, &req)
	sent, ok := ParseOrder(req.Bytes)
	if !ok {
		t.Fatalf("request %.200q is not an order", req.Bytes)
	}
	text := AppendAnswer(nil, &sent, 4711, 1_723_161_255_100)
	reader := exec.NewAnswerReader(64<<10, 16<<10, "x-mbx-")
	var v exec.Verdict
	v.Execs = make([]core.Execution, 0, 64)
	const items = 256
	bad := 0
	return &work{
		items: items, bytes: items * len(text),
		pass: func() {
			for range items {
				reader.Reset()
				done, e := reader.Advance(copy(reader.Space(), text))
				if !done || e != exec.AnswerOK {
					bad++
					continue
				}
				v.Execs = v.Execs[:0]
				c.Answer(exec.RequestPlace, o, reader.Answer(), &v)
				if v.Class != exec.ClassAccepted {
					bad++
				}
			}
		},
		check: func() error {
			if bad != 0 || len(v.Execs) != 1 || v.Execs[0].VenueID != 4711 || v.Execs[0].Status != core.Expired || v.Weight != 1 {
				return fmt.Errorf("got %d answers that were not read and %+v, want 0 and order 4711 expired", bad, v.Execs)
			}
			return nil
		},
	}
}

// reports are a resting order's life on the user stream, recorded in 2026 (see
// feed/binance/testdata/SOURCES.md).
var reports = [][]byte{
	[]byte(`{"subscriptionId":0,"event":{"e":"executionReport","E":1772459340067,"s":"ACHUSDT","c":"bM9WrFJeamQQhcCgpLuakC","S":"BUY","o":"LIMIT","f":"GTC","q":"800.00000000","p":"0.00658000","P":"0.00000000","F":"0.00000000","g":-1,"C":"","x":"NEW","X":"NEW","r":"NONE","i":1281722417,"l":"0.00000000","z":"0.00000000","L":"0.00000000","n":"0","N":null,"T":1772459340067,"t":-1,"I":2623837866,"w":true,"m":false,"M":false,"O":1772459340067,"Z":"0.00000000","Y":"0.00000000","Q":"0.00000000","W":1772459340067,"V":"EXPIRE_MAKER"}}`),
	[]byte(`{"subscriptionId":0,"event":{"e":"executionReport","E":1772459340067,"s":"ACHUSDT","c":"bM9WrFJeamQQhcCgpLuakC","S":"BUY","o":"LIMIT","f":"GTC","q":"800.00000000","p":"0.00658000","P":"0.00000000","F":"0.00000000","g":-1,"C":"","x":"TRADE","X":"FILLED","r":"NONE","i":1281722417,"l":"800.00000000","z":"800.00000000","L":"0.00656000","n":"0.00000632","N":"BNB","T":1772459340067,"t":65044226,"I":2623837867,"w":false,"m":false,"M":true,"O":1772459340067,"Z":"5.24800000","Y":"5.24800000","Q":"0.00000000","W":1772459340067,"V":"EXPIRE_MAKER"}}`),
}

// userWork reads the events of an account's stream.
func userWork(t testing.TB) *work {
	tab := core.NewInstruments()
	tab.Asset("BNB")
	if _, err := tab.Add(core.Instrument{Symbol: "ACHUSDT", Base: tab.Asset("ACH"), Quote: tab.Asset("USDT"), Status: core.StatusTrading}); err != nil {
		t.Fatal(err)
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	d := binance.NewUserDecoder(tab, syms, core.Milliseconds)
	const rounds = 128
	w := &work{items: rounds * len(reports)}
	for _, f := range reports {
		w.bytes += rounds * len(f)
	}
	bad := 0
	var last core.Execution
	w.pass = func() {
		for range rounds {
			for _, f := range reports {
				ev, k := d.Decode(f)
				if k != binance.UserExecution {
					bad++
					continue
				}
				last = ev.Execution
			}
		}
	}
	w.check = func() error {
		if bad != 0 || last.TradeID != 65044226 || last.LastQuote != 524_800_000 || last.Fee != 632 || last.Cum != 800*core.Scale {
			return fmt.Errorf("got %d events that were not read and %+v, want 0 and the fill of trade 65044226", bad, last)
		}
		return nil
	}
	return w
}

// BenchmarkAnswer: order is a whole HTTP answer to an order, user an event of the
// account's stream.
func BenchmarkAnswer(b *testing.B) {
	stage(b, "order", func(t testing.TB) *work { return answerWork(t) })
	stage(b, "user", func(t testing.TB) *work { return userWork(t) })
}
