package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/adshao/go-binance/v2"
)

func TestMain(m *testing.M) {
	guard()
	os.Exit(m.Run())
}

func TestGuardRefusesAndCountsWhatLeavesLoopback(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dial := func(network, address string) func() error {
		return func() error {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				_ = c.Close()
			}
			return err
		}
	}
	for _, k := range []struct {
		name string
		try  func() error
	}{
		{"TCP by IPv4", dial("tcp", "192.0.2.1:443")},
		{"TCP by IPv6", dial("tcp", "[2001:db8::1]:443")},
		{"UDP", dial("udp", "192.0.2.1:53")},
		{"REST of a client left at its own address", func() error {
			return binance.NewClient("", "").NewPingService().Do(ctx)
		}},
		{"stream of a client left at its own address", func() error {
			_, _, err := binance.WsTradeServe("BTCUSDT", func(*binance.WsTradeEvent) {}, func(error) {})
			return err
		}},
	} {
		before := blocked.Load()
		err := k.try()
		if err == nil || blocked.Load() == before {
			t.Errorf("%s: got error %v and %d refusals, want both", k.name, err, blocked.Load()-before)
		}
	}
	if err := dial("tcp", "192.0.2.1:443")(); !errors.Is(err, syscall.EPERM) {
		t.Errorf("got %v, want EPERM", err)
	}
}

func TestGuardLetsLoopbackThrough(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	before := blocked.Load()
	r, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if n := blocked.Load() - before; n != 0 {
		t.Errorf("got %d refusals, want none", n)
	}
}
