package path

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"riposte/bench"
)

var endOfHead = []byte("\r\n\r\n")

// request serves one HTTP request at the beginning of b and returns its length, 0 if
// it is not whole yet.
func (s *Server) request(c *conn, b []byte, at Ns) int {
	head := bytes.Index(b, endOfHead)
	if head < 0 {
		return 0
	}
	head += len(endOfHead)
	body, ok := bodySize(b[:head])
	if !ok {
		s.Odd = fmt.Errorf("request %.100q has a length that cannot be read", b[:head])
		s.drop(c)
		return len(b)
	}
	end := head + body
	if len(b) < end {
		return 0
	}
	req := b[:head]
	if c.role == roleREST {
		if body > 0 {
			req = s.joined(req, b[head:end])
		}
		if o, ok := bench.ParseOrder(req); ok {
			s.Order(&o, at)
			s.orders++
			c.out = bench.AppendAnswer(c.out[:0], &o, s.orders, time.Now().UnixMilli())
			s.write(c, c.out)
			return end
		}
		s.Asked++
		status, body := s.answer(req)
		c.out = fmt.Appendf(c.out[:0], "HTTP/1.1 %s\r\nContent-Type: application/json;charset=UTF-8\r\nx-mbx-used-weight-1m: 1\r\nContent-Length: %d\r\n\r\n", status, len(body))
		s.write(c, append(c.out, body...))
		return end
	}
	s.upgrade(c, req)
	return end
}

// lengthName is spelt as every client here spells it.
var lengthName = []byte("\r\nContent-Length: ")

// bodySize is how long a request's body is.
func bodySize(head []byte) (n int, ok bool) {
	i := bytes.Index(head, lengthName)
	if i < 0 {
		return 0, true
	}
	for _, c := range head[i+len(lengthName):] {
		if c == '\r' {
			return n, true
		}
		if c < '0' || c > '9' || n > 1<<16 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return 0, false
}

// joined is a request whose parameters came in query and body, as the venue takes them
// too, with all of them in the query.
func (s *Server) joined(head, body []byte) []byte {
	line, rest, _ := bytes.Cut(head, []byte(" HTTP/1.1"))
	s.buf = append(s.buf[:0], line...)
	glue := byte('?')
	if bytes.IndexByte(line, '?') >= 0 {
		glue = '&'
	}
	s.buf = append(append(s.buf, glue), body...)
	return append(append(s.buf, " HTTP/1.1"...), rest...)
}

// answer is the body of every request but a new order's.
func (s *Server) answer(req []byte) (status string, body []byte) {
	line, _, _ := strings.Cut(string(req), "\r\n")
	method, rest, _ := strings.Cut(line, " ")
	target, _, _ := strings.Cut(rest, " ")
	path, query, _ := strings.Cut(target, "?")
	now := time.Now().UnixMilli()
	switch method + " " + path {
	case "GET /api/v3/ping":
		return "200 OK", []byte("{}")
	case "GET /api/v3/time":
		return "200 OK", fmt.Appendf(nil, `{"serverTime":%d}`, now)
	case "GET /api/v3/exchangeInfo":
		return "200 OK", s.exchangeInfo(now)
	case "GET /api/v3/depth":
		q, _ := url.ParseQuery(query) // a symbol that cannot be read is none of ours
		for k, m := range s.markets {
			if q.Get("symbol") == m.Symbol {
				return "200 OK", s.told[k].appendSnapshot(nil)
			}
		}
		return "400 Bad Request", []byte(`{"code":-1121,"msg":"Invalid symbol."}`)
	case "GET /api/v3/account":
		return "200 OK", fmt.Appendf(nil, account, now)
	case "GET /api/v3/openOrders", "GET /api/v3/myTrades", "GET /api/v3/allOrders":
		return "200 OK", []byte("[]")
	case "GET /api/v3/order":
		return "400 Bad Request", []byte(`{"code":-2013,"msg":"Order does not exist."}`)
	case "DELETE /api/v3/order":
		return "400 Bad Request", []byte(`{"code":-2011,"msg":"Unknown order sent."}`)
	}
	s.Odd = fmt.Errorf("request %.100q is not served here", line)
	return "404 Not Found", []byte(`{"code":-1000,"msg":"not served here"}`)
}

// exchangeInfo has limits that never bind: what is measured is the path, not the
// budget.
func (s *Server) exchangeInfo(unixMs int64) []byte {
	b := fmt.Appendf(nil, `{"timezone":"UTC","serverTime":%d,"rateLimits":[`+
		`{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000000000},`+
		`{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":1000000000},`+
		`{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":1000000000}],`+
		`"exchangeFilters":[],"symbols":[`, unixMs)
	for i, m := range s.markets {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, symbolInfo, m.Symbol, strings.TrimSuffix(m.Symbol, "USDT"))
	}
	return append(b, `]}`...)
}

const symbolInfo = `{"symbol":"%s","status":"TRADING","baseAsset":"%s","baseAssetPrecision":8,` +
	`"quoteAsset":"USDT","quotePrecision":8,"quoteAssetPrecision":8,"baseCommissionPrecision":8,"quoteCommissionPrecision":8,` +
	`"orderTypes":["LIMIT","LIMIT_MAKER","MARKET"],"icebergAllowed":true,"ocoAllowed":true,"isSpotTradingAllowed":true,` +
	`"isMarginTradingAllowed":false,"filters":[` +
	`{"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},` +
	`{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},` +
	`{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5},` +
	`{"filterType":"MAX_NUM_ORDERS","maxNumOrders":100000}],` +
	`"permissions":[],"permissionSets":[["SPOT"]],"defaultSelfTradePreventionMode":"EXPIRE_MAKER","allowedSelfTradePreventionModes":["EXPIRE_MAKER"]}`

const account = `{"makerCommission":10,"takerCommission":10,"buyerCommission":0,"sellerCommission":0,` +
	`"commissionRates":{"maker":"0.00100000","taker":"0.00100000","buyer":"0.00000000","seller":"0.00000000"},` +
	`"canTrade":true,"canWithdraw":false,"canDeposit":false,"brokered":false,"requireSelfTradePrevention":false,"preventSor":false,` +
	`"updateTime":%d,"accountType":"SPOT","balances":[{"asset":"BTC","free":"1000.00000000","locked":"0.00000000"},` +
	`{"asset":"USDT","free":"100000000.00000000","locked":"0.00000000"}],"permissions":["SPOT"],"uid":1}`

// appendText appends a JSON string of plain text.
func appendText(dst []byte, s string) []byte { return strconv.AppendQuote(dst, s) }
