package app

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"riposte/exec"
	"riposte/tools/venue"
)

// changes is how often the key is changed under load; the acceptance run takes 100.
var changes = flag.Int("changes", 12, "changes of key under load, one every 100 ms")

// wireTap sees every order on its way into the kernel, on the loop's thread, and under
// which key it leaves.
type wireTap struct {
	mu      sync.Mutex
	number  map[string]int // of each API key
	newest  int            // the key with the highest number that any order has had
	orders  map[int]int    // by key
	old     int            // orders under a key after one under a later key
	cancels map[string]int // by order and key, nil: not counted
	seen    atomic.Uint64
}

func (w *wireTap) dial(next exec.Dial) exec.Dial {
	return func(ctx context.Context, url string) (net.Conn, error) {
		c, err := next(ctx, url)
		if err != nil {
			return nil, err
		}
		return &tappedConn{c, w}, nil
	}
}

type tappedConn struct {
	net.Conn
	tap *wireTap
}

func (c *tappedConn) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("POST /api/v3/order?")) {
		c.tap.order(b)
	} else if bytes.HasPrefix(b, []byte("DELETE /api/v3/order?")) {
		c.tap.cancel(b)
	}
	return c.Conn.Write(b)
}

// inside is what stands in b between two texts.
func inside(b []byte, from, to string) string {
	_, after, _ := bytes.Cut(b, []byte(from))
	text, _, _ := bytes.Cut(after, []byte(to))
	return string(text)
}

func (w *wireTap) cancel(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancels != nil {
		w.cancels[inside(b, "rderId=", "&")+" "+inside(b, "X-MBX-APIKEY: ", "\r\n")]++
	}
}

func (w *wireTap) order(b []byte) {
	key := inside(b, "X-MBX-APIKEY: ", "\r\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.number[key]
	if n < w.newest {
		w.old++
	}
	w.newest = max(w.newest, n)
	w.orders[n]++
	w.seen.Add(1)
}

// sent is how many orders left with key number n.
func (w *wireTap) sent(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.orders[n]
}

// eager is a strategy that orders with every change of the touch, limits that let it, and
// a window that no busy machine outlasts.
func eager() []string {
	return []string{`recv_window = "2s"`, `recv_window = "30s"`, `name = "quoter"`, `name = "reflex"`, "slack_ticks = 2\nlife_min = \"250ms\"", "tif = \"IOC\"", "rate_max = 40", "rate_max = 100000", "reject_max = 20", "reject_max = 1000000",
		`position_max = "0.05"`, `position_max = "50"`, `position_max = "1"`, `position_max = "1000"`}
}

// fast is eager by wires alone: a tap on those sees every order.
func fast() []string { return append([]string{`route = "auto"`, `route = "rest"`}, eager()...) }

func TestTheKeyChangesUnderLoadWithoutAFailedOrder(t *testing.T) {
	n := *changes
	v := openKeyed(t, hmacKeys(n+1)...)
	tap := &wireTap{number: map[string]int{}, orders: map[int]int{}}
	for i, k := range v.keys {
		tap.number[k.APIKey] = i
	}
	d := started(t, v.config(fast()...), func(d *desk) { d.tap = tap.dial })
	wait(t, "orders", d, func(r *report) bool { return r.Acks > 10 && settled(r) })
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var took []time.Duration
	for i := 1; i <= n; i++ {
		<-tick.C
		v.put(v.keys[i])
		from := time.Now()
		if err := d.keeper.requestChange(t.Context()); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		took = append(took, time.Since(from))
		// From here on the old key is worthless; what it had in flight has been answered
		// by then or counts as failed below.
		if i > 1 {
			if err := v.Faults().Do("revoke " + v.keys[i-2].APIKey); err != nil {
				t.Fatal(err)
			}
		}
		seen := tap.seen.Load()
		wait(t, "an order with the new key", d, func(*report) bool { return tap.seen.Load() > seen })
	}
	wait(t, "settled", d, settled)
	r := d.shutdown()
	if !r.Clean {
		t.Errorf("not a clean end: %q %q", r.Problems, r.Differences)
	}
	if r.Rejects != 0 || r.Doubts != 0 {
		t.Errorf("%d orders were rejected, %d had no answer, the newest for %d %s; want none", r.Rejects, r.Doubts, d.gateway.Stats.LastCode, d.gateway.Stats.LastMsg)
	}
	if tap.old != 0 || len(tap.orders) != n+1 {
		t.Errorf("%d orders left under a retired key, %d of %d keys were ordered with; want none and all", tap.old, len(tap.orders), n+1)
	}
	if r.KeyChanges != uint64(n) {
		t.Errorf("%d changes are told, want %d", r.KeyChanges, n)
	}
	worst := time.Duration(0)
	for _, x := range took {
		worst = max(worst, x)
	}
	t.Logf("%d changes, the longest in %v; %d orders, %d acknowledged, %d fills, %d failed, %d under a retired key", n, worst, r.Orders, r.Acks, r.Fills, r.Rejects+r.Doubts, tap.old)
}

func TestABadNewKeyLeavesTheOldOneAtWork(t *testing.T) {
	keys := hmacKeys(2)
	keys[1].ReadOnly = true
	v := openKeyed(t, keys...)
	d := started(t, v.config(fast()...))
	wait(t, "orders", d, func(r *report) bool { return r.Acks > 0 && settled(r) })
	wrong := v.keys[0]
	wrong.Secret = v.keys[1].Secret
	for what, k := range map[string]venue.Key{
		"(-2015): wrong environment":                    venue.NewHMACKey(6, "stranger"),
		"(-1022): wrong key type":                       wrong,
		"a test order with it (-2015): a missing right": v.keys[1],
		"found neither secret nor PEM":                  {APIKey: "k"},
	} {
		if k.Kind == "" {
			if err := os.WriteFile(v.file, []byte("api_key = \"k\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			v.put(k)
		}
		err := d.keeper.requestChange(t.Context())
		if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "the old one stays") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line that says so", what, err)
		}
		if text := <-d.keeper.told; text != err.Error() {
			t.Errorf("%s: told %q, want %q", what, text, err)
		}
		acks := d.report().Acks
		wait(t, "orders with the old key", d, func(r *report) bool { return r.Acks > acks && settled(r) })
	}
	if r := d.shutdown(); !r.Clean || r.Rejects != 0 || r.KeyChanges != 0 {
		t.Errorf("clean %v, %d rejects, %d changes, problems %q", r.Clean, r.Rejects, r.KeyChanges, r.Problems)
	}
}

// What is tested with a new key is an order by the rules of that moment: those of the
// start may have changed, and a market may be shut.
func TestAKeyChangesThoughTheVenueHasChangedItsRules(t *testing.T) {
	keys := hmacKeys(4)
	v := openKeyed(t, keys...)
	d := started(t, v.config(fast()...))
	wait(t, "orders", d, func(r *report) bool { return r.Acks > 0 && settled(r) })
	for i, rule := range []string{"filter BTCUSDT minNotional 700", "filter BTCUSDT step 0.001", "status BTCUSDT HALT"} {
		if err := v.Faults().Do(rule); err != nil {
			t.Fatal(err)
		}
		v.put(keys[i+1])
		if err := d.keeper.requestChange(t.Context()); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if err := v.Faults().Do("status ETHUSDT BREAK"); err != nil {
		t.Fatal(err)
	}
	if err := d.keeper.requestChange(t.Context()); err == nil || !strings.Contains(err.Error(), "no order can be tested: ETHUSDT is ") {
		t.Errorf("no market is open: got %v, want an error that says so", err)
	}
	d.shutdown()
}

func TestASignalChangesTheKeyToAnotherKind(t *testing.T) {
	ed, err := venue.NewEd25519Key(5, "next")
	if err != nil {
		t.Fatal(err)
	}
	rsa, err := venue.NewRSAKey(5, "last")
	if err != nil {
		t.Fatal(err)
	}
	v := openKeyed(t, hmacKeys(1)[0], ed, rsa)
	tap := &wireTap{number: map[string]int{v.keys[0].APIKey: 0, ed.APIKey: 1, rsa.APIKey: 2}, orders: map[int]int{}}
	d := started(t, v.config(fast()...), func(d *desk) { d.tap = tap.dial })
	for i, k := range v.keys {
		if i > 0 {
			v.put(k)
			if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			if text := <-d.keeper.told; !strings.HasPrefix(text, "key changed: "+[]string{"HMAC", "Ed25519", "RSA"}[i]+" key ") {
				t.Fatalf("told %q, want the change", text)
			}
		}
		acks := d.report().Acks
		// Answers to orders that left with the key before count as acks too.
		wait(t, "orders with it", d, func(r *report) bool { return r.Acks > acks+3 && tap.sent(i) > 0 && settled(r) })
		ups := d.user.Status().Ups
		if ups == 0 {
			t.Errorf("%s: the account's connection is not up", k.Kind)
		}
	}
	if r := d.shutdown(); !r.Clean || r.Rejects != 0 || r.KeyChanges != 2 || len(tap.orders) != 3 || tap.old != 0 {
		t.Errorf("clean %v, %d rejects, %d changes, orders by key %v, %d under a retired one, problems %q", r.Clean, r.Rejects, r.KeyChanges, tap.orders, tap.old, r.Problems)
	}
}
