package peers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	binance "github.com/adshao/go-binance/v2"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"

	"riposte/bench"
	"riposte/core"
)

// orderCount is how many orders a pass places, one after the other's answer.
const orderCount = 16

const (
	orderPrice = core.Price(6_183_764_000_000)
	orderTick  = core.Price(1_000_000)
	orderAPI   = "test-key"
)

func orderAt(i int) (core.Price, core.Qty) {
	return orderPrice - core.Price(i%64)*orderTick, core.Qty(100_000 * (1 + i%7))
}

// answered adds an order's answer to the checksum.
func answered(sum uint64, venueID int64, expired bool) uint64 {
	if !expired {
		panic("the order has not expired")
	}
	return sum*31 + uint64(venueID)
}

// orderSide is one way to place orders: place sends order i and returns the venue's id
// of it and whether it has ended.
type orderSide func(tb testing.TB, addr string) (place func(i int) (venueID int64, expired bool))

func orderMatch(tb testing.TB) match {
	end := startOther(tb, "orders")
	m := match{name: "loopback", items: orderCount, cpu: true}
	for _, k := range []struct {
		name string
		make orderSide
	}{{ours, riposteOrders}, {"net-http", netHTTPOrders}, {"fasthttp", fastHTTPOrders}, {"go-binance", goBinanceOrders}} {
		place := k.make(tb, end.addr)
		m.list = append(m.list, contender{name: k.name, pass: func() (sum uint64) {
			for i := range orderCount {
				id, expired := place(i)
				sum = answered(sum, id, expired)
			}
			return sum
		}})
	}
	return m
}

// query is an order's parameters and its signature as a careful hand writes them.
func query(i int, clientID string, unixMs int64) string {
	p, q := orderAt(i)
	v := url.Values{}
	v.Set("symbol", "BTCUSDT")
	v.Set("side", "BUY")
	v.Set("type", "LIMIT")
	v.Set("timeInForce", "IOC")
	v.Set("newOrderRespType", "FULL")
	v.Set("recvWindow", "5000")
	v.Set("newClientOrderId", clientID)
	v.Set("timestamp", strconv.FormatInt(unixMs, 10))
	v.Set("price", p.String())
	v.Set("quantity", q.String())
	payload := v.Encode()
	h := hmac.New(sha256.New, []byte(bench.TestSecret))
	h.Write([]byte(payload))
	return payload + "&signature=" + hex.EncodeToString(h.Sum(nil))
}

func clientID(n int) string { return fmt.Sprintf("peer-%08d", n) }

// netHTTPOrders is the standard library's client with its answer into a struct.
func netHTTPOrders(tb testing.TB, addr string) func(int) (int64, bool) {
	tr := &http.Transport{DisableCompression: true}
	tb.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr}
	n := 0
	return func(i int) (int64, bool) {
		n++
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/api/v3/order?"+query(i, clientID(n), 1_723_161_255_000), nil)
		must(err)
		req.Header.Set("X-MBX-APIKEY", orderAPI)
		resp, err := client.Do(req)
		must(err)
		defer resp.Body.Close()
		var a binance.CreateOrderResponse
		must(json.NewDecoder(resp.Body).Decode(&a))
		return a.OrderID, a.Status == binance.OrderStatusTypeExpired
	}
}

// fastHTTPOrders is fasthttp as one who counts allocations uses it: request, answer,
// MAC and parser are kept, the query is appended.
func fastHTTPOrders(tb testing.TB, addr string) func(int) (int64, bool) {
	client := &fasthttp.Client{}
	tb.Cleanup(client.CloseIdleConnections)
	var parser fastjson.Parser
	req, resp := new(fasthttp.Request), new(fasthttp.Response)
	req.SetRequestURI("http://" + addr + "/api/v3/order")
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.Set("X-MBX-APIKEY", orderAPI)
	mac := hmac.New(sha256.New, []byte(bench.TestSecret))
	var q, sum []byte
	n := int64(0)
	return func(i int) (int64, bool) {
		n++
		price, qty := orderAt(i)
		q = append(q[:0], "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&newOrderRespType=FULL&recvWindow=5000&newClientOrderId=peer-"...)
		q = strconv.AppendInt(q, n, 10)
		q = append(q, "&timestamp=1723161255000&price="...)
		q = core.AppendDecimal(q, int64(price))
		q = append(q, "&quantity="...)
		q = core.AppendDecimal(q, int64(qty))
		mac.Reset()
		mac.Write(q)
		sum = mac.Sum(sum[:0])
		q = append(q, "&signature="...)
		q = hex.AppendEncode(q, sum)
		req.URI().SetQueryStringBytes(q)
		must(client.Do(req, resp))
		v, err := parser.ParseBytes(resp.Body())
		must(err)
		return v.GetInt64("orderId"), string(v.GetStringBytes("status")) == "EXPIRED"
	}
}

// goBinanceOrders is go-binance's service for new orders.
func goBinanceOrders(tb testing.TB, addr string) func(int) (int64, bool) {
	client := binance.NewClient(orderAPI, bench.TestSecret)
	client.SetApiEndpoint("http://" + addr)
	tr := &http.Transport{}
	tb.Cleanup(tr.CloseIdleConnections)
	client.HTTPClient = &http.Client{Transport: tr}
	n := 0
	return func(i int) (int64, bool) {
		n++
		p, q := orderAt(i)
		a, err := client.NewCreateOrderService().Symbol("BTCUSDT").Side(binance.SideTypeBuy).Type(binance.OrderTypeLimit).
			TimeInForce(binance.TimeInForceTypeIOC).NewOrderRespType(binance.NewOrderRespTypeFULL).NewClientOrderID(clientID(n)).
			Price(p.String()).Quantity(q.String()).Do(context.Background(), binance.WithRecvWindow(5000))
		must(err)
		return a.OrderID, a.Status == binance.OrderStatusTypeExpired
	}
}

func TestOrderCallsAgree(t *testing.T) { allAgree(t, []match{orderMatch(t)}) }

// BenchmarkOrder is one order placed and its answer read, against a venue on loopback
// that answers at once from a thread that spins. Ours has the gate, the order table
// and the reports in it as well.
func BenchmarkOrder(b *testing.B) { contest(b, orderMatch(b)) }
