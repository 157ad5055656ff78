// Stack answers every change of the best bid with an order, as a program of the usual
// libraries does: gorilla/websocket reads, encoding/json decodes, go-binance signs and
// posts over net/http. The tick-to-order harness measures it beside riposte.
//
// It is given every advantage that costs its author nothing: connections are kept
// warm, the order is sent from the goroutine that read the frame unless one is on its
// way already, and frames of other streams are dropped undecoded. It keeps no book.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/adshao/go-binance/v2"
	"github.com/gorilla/websocket"

	"riposte/bench"
)

func main() {
	rest := flag.String("rest", "", "base URL of the REST service")
	stream := flag.String("stream", "", "URL of the combined stream")
	symbol := flag.String("symbol", "", "symbol to trade")
	ca := flag.String("ca", "", "file with the certificate authority; none is plain")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *rest, *stream, *symbol, *ca); err != nil {
		fmt.Fprintf(os.Stderr, "stack: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rest, stream, symbol, ca string) error {
	var secure *tls.Config
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return fmt.Errorf("cannot use CA file %s: found no certificate in it", ca)
		}
		secure = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: "localhost"}
	}
	t := &trader{symbol: symbol, client: binance.NewClient(bench.TestAPIKey, bench.TestSecret)}
	t.client.BaseURL = rest
	t.client.HTTPClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: secure}}
	d := websocket.Dialer{TLSClientConfig: secure, ReadBufferSize: 64 << 10}
	c, resp, err := d.DialContext(ctx, stream, nil)
	if err != nil {
		return fmt.Errorf("cannot connect: %w", err)
	}
	_ = resp.Body.Close() // of the upgrade, and empty
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	defer t.orders.Wait()
	for {
		_, msg, err := c.ReadMessage()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("cannot read: %w", err)
		}
		if err := t.frame(ctx, msg); err != nil {
			return err
		}
	}
}

// trader sends an order for each new best bid of its symbol.
type trader struct {
	symbol string
	client *binance.Client
	bid    string
	busy   atomic.Int32 // orders on their way
	orders sync.WaitGroup
}

func (t *trader) frame(ctx context.Context, msg []byte) error {
	if !bytes.Contains(msg[:min(len(msg), 64)], []byte("@bookTicker")) {
		return nil
	}
	var e binance.WsCombinedBookTickerEvent
	if err := json.Unmarshal(msg, &e); err != nil {
		return fmt.Errorf("cannot decode %.100q: %w", msg, err)
	}
	if e.Data == nil || e.Data.Symbol != t.symbol || e.Data.BestBidPrice == t.bid {
		return nil
	}
	t.bid = e.Data.BestBidPrice
	price := strings.TrimRight(strings.TrimRight(t.bid, "0"), ".")
	if t.busy.Add(1) == 1 {
		return t.order(ctx, price)
	}
	t.orders.Go(func() { _ = t.order(ctx, price) }) // the harness counts what does not come
	return nil
}

func (t *trader) order(ctx context.Context, price string) error {
	defer t.busy.Add(-1)
	_, err := t.client.NewCreateOrderService().Symbol(t.symbol).Side(binance.SideTypeBuy).Type(binance.OrderTypeLimit).
		TimeInForce(binance.TimeInForceTypeIOC).Quantity("0.00009").Price(price).Do(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cannot send an order: %w", err)
	}
	return nil
}
