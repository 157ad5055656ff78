package venue

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// BenchmarkOrderOverREST is one signed order and its answer over a warm loopback connection, written and read by hand so
// that the client adds little: what is timed is the venue.
func BenchmarkOrderOverREST(b *testing.B) {
	s, err := Start(context.Background(), Config{Seed: 1, Symbols: []string{"BTCUSDT"}, Quiet: true, Orders: []RateLimit{{"DAY", 1, 1 << 40}}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	key, _ := s.Key("", HMAC)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.REST(), "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	br := bufio.NewReader(c)
	b.ReportAllocs()
	for b.Loop() {
		q := fmt.Sprintf("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.01&price=50000&newOrderRespType=ACK&timestamp=%d", s.Now()/1000)
		if _, err := fmt.Fprintf(c, "POST /api/v3/order?%s&signature=%s HTTP/1.1\r\nHost: v\r\nX-MBX-APIKEY: %s\r\nContent-Length: 0\r\n\r\n", q, hmacHex(key.Secret, q), key.APIKey); err != nil {
			b.Fatal(err)
		}
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			b.Fatalf("got %d %s %v, want 200", res.StatusCode, body, err)
		}
	}
}

// BenchmarkMarketToSocket counts frames of all streams of two symbols that reach a client in a second of market.
func BenchmarkMarketToSocket(b *testing.B) {
	s, err := Start(context.Background(), Config{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	k, err := tryDial(s.Stream() + "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade/ethusdt@depth@100ms/ethusdt@bookTicker/ethusdt@trade")
	if err != nil {
		b.Fatal(err)
	}
	defer k.c.Close()
	start := time.Now()
	for b.Loop() {
		if _, err := k.tryNext(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "frames/s")
}
