package venue

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// randomFault is a fault line drawn from the table of verbs; what it says may find nothing to break.
func randomFault(rng *rand.Rand) string {
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	dur := func() string { return fmt.Sprint(time.Duration(1+rng.IntN(5_000_000)) * time.Microsecond) }
	v := &verbs[rng.IntN(len(verbs))]
	var line []string
	event := false
	switch rng.IntN(4) {
	case 0:
		line = append(line, dur())
	case 1:
		line = append(line, "every", fmt.Sprint(3+rng.IntN(20))+"."+fmt.Sprint(1+rng.IntN(999))+"s")
	case 2:
		line = append(line, "about", fmt.Sprint(3+rng.IntN(20))+"s")
	case 3:
		event = true
		line = append(line, "on")
		if rng.IntN(2) == 0 {
			line = append(line, "every")
		}
		e := triggers[rng.IntN(len(triggers))]
		name := e.name
		if t := tokens[name]; t.of != nil {
			name = pick(t.of)
		}
		line = append(line, name)
		switch t := tokens[e.subject]; {
		case e.subject == "SYMBOLS":
			line = append(line, pick([]string{"BTCUSDT", "ETHUSDT", "*"}))
		case e.subject != "":
			line = append(line, pick(t.of))
		}
		line = append(line, fmt.Sprint(1+rng.IntN(20)))
	}
	if rng.IntN(4) == 0 {
		line = append(line, "chance", "0.5")
	}
	line = append(line, v.name)
	for _, arg := range strings.Fields(v.args) {
		name, optional := strings.CutPrefix(arg, "[")
		name = strings.TrimSuffix(name, "]")
		if optional && rng.IntN(2) == 0 {
			continue
		}
		switch name {
		case "conn=ID":
			if event {
				line = append(line, "conn=it")
			} else {
				line = append(line, "conn="+fmt.Sprint(1+rng.IntN(4)))
			}
		case "after=BYTES":
			line = append(line, "after="+fmt.Sprint(rng.IntN(3000)))
		case "jitter=DURATION":
			line = append(line, "jitter="+dur())
		case "DURATION", "LEAD", "OFFSET":
			line = append(line, dur())
		case "COUNT":
			line = append(line, fmt.Sprint(1+rng.IntN(3)))
		case "CODE":
			line = append(line, fmt.Sprint(1000+rng.IntN(16)))
		case "LEVELS", "RATE":
			line = append(line, fmt.Sprint(1+rng.IntN(2000)))
		case "VALUE":
			line = append(line, pick([]string{"0.01", "0.1", "1.05", "50000"}))
		case "SYMBOL":
			line = append(line, pick([]string{"BTCUSDT", "ETHUSDT"}))
		case "SYMBOLS":
			line = append(line, pick([]string{"BTCUSDT", "ETHUSDT", "*"}))
		case "STREAM":
			line = append(line, pick([]string{"streams", "wsapi", "btcusdt@depth@100ms"}))
		case "APIKEY", "ACCOUNT":
			line = append(line, pick([]string{"*", "main"}))
		default:
			list := tokens[name].of
			if list == nil {
				list = strings.Split(name, "|")
			}
			line = append(line, pick(list))
		}
	}
	return strings.Join(line, " ")
}

func TestEveryRandomFaultLineIsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 5000 {
		line := randomFault(rng)
		if _, err := ParseFault(line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	for i := range verbs {
		if !strings.Contains(FaultUsage, "\n"+verbs[i].name+" ") {
			t.Errorf("FaultUsage says nothing of %s", verbs[i].name)
		}
	}
}

// player is a client whose acts are decided beforehand: nothing that it receives changes what it does.
type player struct {
	t     *testing.T
	l     *memListener
	s     *Server
	c     *rest
	sums  [2]*summed
	wsKey Key
}

// summed is a WebSocket that answers PINGs and counts what it gets.
type summed struct {
	*socket
	mu     sync.Mutex
	frames int
	done   chan struct{}
}

func (p *player) connect(i int) {
	url := []string{p.s.Stream() + "/stream?streams=btcusdt@depth@100ms/btcusdt@trade/ethusdt@bookTicker/ethusdt@kline_1m/btcusdt@ticker",
		p.s.WSAPI()}[i]
	k, err := memTryDial(p.l, url)
	if err != nil {
		return
	}
	k.t = p.t
	m := &summed{socket: k, done: make(chan struct{})}
	p.sums[i] = m
	go func() {
		defer close(m.done)
		defer k.c.Close()
		for {
			h, err := ws.ReadHeader(k.br)
			if err != nil || h.Length > 64<<20 {
				return
			}
			body := make([]byte, h.Length)
			if _, err := io.ReadFull(k.br, body); err != nil || h.OpCode == ws.OpClose {
				return
			}
			m.frames++
			if h.OpCode == ws.OpPing {
				m.write(ws.NewPongFrame(body))
			}
		}
	}()
}

func (m *summed) write(f ws.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.c.SetWriteDeadline(time.Now().Add(3 * time.Second))
	if ws.WriteFrame(m.c, ws.MaskFrame(f)) != nil {
		_ = m.c.Close()
	}
}

// signedText signs like api.signedCall, with a stamp of its own.
func (p *player) wsText(id, method string, kv ...string) string {
	a := &api{s: p.s, key: p.wsKey}
	return strings.Replace(signedText(a, method, kv...), `"id":1`, `"id":`+id, 1)
}

func (p *player) act(rng *rand.Rand, n int) {
	side := []string{"BUY", "SELL"}[rng.IntN(2)]
	symbol := []string{"BTCUSDT", "ETHUSDT"}[rng.IntN(2)]
	what, kind := rng.IntN(10), rng.IntN(2)
	for i, m := range p.sums {
		gone := m == nil
		if !gone {
			select {
			case <-m.done:
				gone = true
			default:
			}
		}
		if gone {
			p.connect(i)
		}
	}
	order := []string{"symbol", symbol, "side", side, "type", "MARKET", "quantity", "0.01"}
	if kind == 1 {
		order = []string{"symbol", symbol, "side", side, "type", "LIMIT", "timeInForce", "GTC", "quantity", "0.01", "price", "3000", "newClientOrderId", "p" + strconv.Itoa(n)}
	}
	params := ""
	for i := 0; i < len(order); i += 2 {
		params += order[i] + "=" + order[i+1] + "&"
	}
	params = strings.TrimSuffix(params, "&")
	get := func(method, path, params string) {
		params += "&timestamp=" + strconv.FormatInt(p.s.Now()/1000, 10)
		params = strings.TrimPrefix(params, "&")
		_, _ = p.c.try(method, path+"?"+params+"&signature="+hmacHex(p.c.key.Secret, params), "", map[string]string{"X-MBX-APIKEY": p.c.key.APIKey})
	}
	switch {
	case what < 3:
		get("POST", "/api/v3/order", params)
	case what < 6 && p.sums[1] != nil:
		p.sums[1].write(ws.NewTextFrame([]byte(p.wsText(strconv.Itoa(n), "order.place", order...))))
	case what == 6:
		get("DELETE", "/api/v3/openOrders", "symbol="+symbol)
	case what == 7:
		_, _ = p.c.try("GET", "/api/v3/depth?symbol="+symbol, "", nil)
	case what == 8:
		get("GET", "/api/v3/openOrders", "symbol="+symbol)
	case what == 9 && p.sums[0] != nil:
		p.sums[0].write(ws.NewTextFrame([]byte(`{"method":"SUBSCRIBE","params":["ethusdt@depth@100ms","ethusdt@trade"],"id":1}`)))
	}
}

// play is one run of a seed; it returns the hash of the exchange's event log and what happened to how many faults.
func play(t *testing.T, seed uint64, script []Fault) (sum string, fired map[string]uint64) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := newMemListener()
		h := sha256.New()
		s, c := memVenue(t, l, Config{Seed: seed, Symbols: []string{"BTCUSDT", "ETHUSDT"}, Faults: script, Log: h,
			UserEvents: RaceRandom, Latency: Latency{Answer: 1500 * time.Microsecond}})
		c.http.Timeout = 4 * time.Second
		p := &player{t: t, l: l, s: s, c: c}
		p.wsKey, _ = s.Key("", HMAC)
		for n := range 60 {
			time.Sleep(time.Duration(100_000+rng.IntN(900_000))*time.Microsecond + 137*time.Nanosecond)
			synctest.Wait()
			p.act(rng, n)
			synctest.Wait()
		}
		fired = s.Faults().Counts()
		if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		for _, m := range p.sums {
			if m != nil {
				<-m.done
			}
		}
		c.http.Transport.(*http.Transport).CloseIdleConnections()
		sum = fmt.Sprintf("%x", h.Sum(nil))
	})
	return sum, fired
}

// sameSeeds is how many seeds are run twice: a few, or as many as the environment says.
func sameSeeds(t *testing.T) int {
	n := 4
	if text := os.Getenv("RIPOSTE_VENUE_SEEDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("got RIPOSTE_VENUE_SEEDS %q, want a number", text)
		}
	}
	return n
}

func TestSameSeedAndScriptGiveTheSameEventLog(t *testing.T) {
	log.SetOutput(io.Discard) // net/http tells of answers that nobody asked for
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	total := make(map[string]uint64)
	sums := make(map[string]bool)
	for seed := range uint64(sameSeeds(t)) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var text []string
		for range 12 {
			text = append(text, randomFault(rng))
		}
		script, err := ParseFaults(strings.NewReader(strings.Join(text, "\n")), "script")
		if err != nil {
			t.Fatal(err)
		}
		one, fired := play(t, seed, script)
		two, _ := play(t, seed, script)
		if one != two {
			t.Errorf("seed %d: got two event logs of\n%s", seed, strings.Join(text, "\n"))
		}
		sums[one] = true
		for verb, n := range fired {
			total[verb] += n
		}
	}
	t.Logf("%d different logs, faults fired: %v", len(sums), total)
}
