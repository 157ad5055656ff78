package venue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"riposte/tools/venue/exchange"
)

func TestEveryStreamSendsItsDocumentedFields(t *testing.T) {
	s := venueOf(t, nil)
	want := map[string]string{
		"btcusdt@trade":           "e E s t p q T m M",
		"btcusdt@aggTrade":        "e E s a p q f l T m M",
		"btcusdt@bookTicker":      "u s b B a A",
		"btcusdt@depth":           "e E s U u b a",
		"btcusdt@depth@100ms":     "e E s U u b a",
		"btcusdt@depth5@100ms":    "lastUpdateId bids asks",
		"btcusdt@depth20":         "lastUpdateId bids asks",
		"btcusdt@kline_1m":        "e E s k",
		"btcusdt@kline_1h@+08:00": "e E s k",
		"btcusdt@miniTicker":      "e E s c o h l v q",
		"btcusdt@ticker":          "e E s p P w x c Q b B a A o h l v q O C F L n",
		"btcusdt@ticker_1h":       "e E s p P o h l c w v q O C F L n",
		"btcusdt@avgPrice":        "e E s i w T",
	}
	var names []string
	for n := range want {
		names = append(names, n)
	}
	k := dial(t, s.Stream()+"/stream?streams="+strings.ReplaceAll(strings.Join(names, "/"), "+", "%2B"))
	for len(want) > 0 {
		var m struct {
			Stream string
			Data   json.RawMessage
		}
		if err := json.Unmarshal(k.next(), &m); err != nil {
			t.Fatal(err)
		}
		fields, ok := want[m.Stream]
		if !ok {
			continue
		}
		delete(want, m.Stream)
		if got := keysOf(t, m.Data); got != sorted(fields) {
			t.Errorf("%s: got fields %s, want %s", m.Stream, got, sorted(fields))
		}
		if strings.Contains(m.Stream, "kline") {
			var d struct{ K json.RawMessage }
			if err := json.Unmarshal(m.Data, &d); err != nil {
				t.Fatal(err)
			}
			if got := keysOf(t, d.K); got != sorted("t T s i f L o c h l v n x q V Q B") {
				t.Errorf("%s: got fields %s", m.Stream, got)
			}
		}
	}
}

func TestSecondBarsCloseWithXSet(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/ws/btcusdt@kline_1s")
	var last float64
	closed := 0
	k.until(func(m map[string]any) bool {
		bar := m["k"].(map[string]any)
		open, err := bar["t"].(json.Number).Float64()
		if err != nil || open < last {
			t.Errorf("got a bar of %v after one of %v", open, last)
		}
		last = open
		if bar["x"] == true {
			closed++
		}
		return closed == 2
	})
}

func TestRawStreamsCarryNoWrapperAndCombinedIsAProperty(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/ws/btcusdt@bookTicker")
	k.until(func(m map[string]any) bool { return m["u"] != nil && m["stream"] == nil })
	k.text(`{"method":"SET_PROPERTY","params":["combined",true],"id":"a-1"}`)
	k.until(func(m map[string]any) bool { return m["id"] == "a-1" && m["result"] == nil && m["error"] == nil })
	if m := k.until(func(map[string]any) bool { return true }); m["stream"] != "btcusdt@bookTicker" {
		t.Errorf("got %v after the answer, want a combined frame", m)
	}
	k.text(`{"method":"GET_PROPERTY","params":["combined"],"id":7}`)
	k.until(func(m map[string]any) bool { return m["result"] == true && fmt.Sprint(m["id"]) == "7" })
}

func TestSubscriptionsAreAnsweredListedAndEnded(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/stream")
	k.text(`{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","ethusdt%40trade"],"id":1}`)
	if m := k.until(func(map[string]any) bool { return true }); fmt.Sprint(m["id"]) != "1" || m["error"] != nil {
		t.Errorf("got %v as the first message, want the answer ahead of every event", m)
	}
	k.text(`{"method":"LIST_SUBSCRIPTIONS","id":2}`)
	m := k.until(func(m map[string]any) bool { return fmt.Sprint(m["id"]) == "2" })
	if got := fmt.Sprint(m["result"]); got != "[btcusdt@depth@100ms ethusdt@trade]" {
		t.Errorf("got %s, want both names in order", got)
	}
	k.text(`{"method":"UNSUBSCRIBE","params":["btcusdt@depth@100ms"],"id":3}`)
	k.until(func(m map[string]any) bool { return fmt.Sprint(m["id"]) == "3" })
	k.text(`{"method":"LIST_SUBSCRIPTIONS","id":4}`)
	m = k.until(func(m map[string]any) bool {
		if m["stream"] == "btcusdt@depth@100ms" {
			t.Error("got an event after the answer to UNSUBSCRIBE")
		}
		return fmt.Sprint(m["id"]) == "4"
	})
	if got := fmt.Sprint(m["result"]); got != "[ethusdt@trade]" {
		t.Errorf("got %s, want one name", got)
	}
}

func TestControlErrorsNestedAndFlat(t *testing.T) {
	for _, flat := range []bool{false, true} {
		s := venueOf(t, func(c *Config) {
			c.Quiet = true
			c.FlatStreamErrors = flat
			c.ClientMessagesPerSecond = 100
			c.StreamsPerConnection = 2
		})
		k := dial(t, s.Stream()+"/ws")
		for _, c := range []struct {
			msg  string
			code int
			text string
			id   string
		}{
			{`{"method":"SET_PROPERTY","params":["shape",true],"id":1}`, 0, "Unknown property", "1"},
			{`{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}`, 1, "Invalid value type: expected Boolean", "1"},
			{`{"method":"SET_PROPERTY","params":[5,true],"id":1}`, 2, "Invalid request: property name must be a string", "1"},
			{`{"method":"GET_PROPERTY","params":["combined",true],"id":1}`, 2, "Invalid request: too many parameters", "1"},
			{`{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1.5}`, 2, "Invalid request: request ID must be an unsigned integer", "<nil>"},
			{`{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":"` + strings.Repeat("a", 37) + `"}`, 2, "Invalid request: request ID must be an unsigned integer", "<nil>"},
			{`{"method":"PURCHASE","id":1}`, 2, "Invalid request: unknown variant `PURCHASE`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 28", "1"},
			{`{"id":1}`, 2, "Invalid request: missing field `method` at line 1 column 8", "1"},
			{`{"method":"SUBSCRIBE","params":["btcusdt"],"id":1}`, 2, "Invalid request: invalid stream", "1"},
			{`{"method":"SUBSCRIBE","params":["btcusdt@depth7"],"id":1}`, 2, "Invalid request: invalid stream", "1"},
			{`{"method":"SUBSCRIBE","params":["a@trade","b@trade","c@trade"],"id":-9}`, 4, "Too many subscriptions", "-9"},
			{`{"method":`, 3, "Invalid JSON: expected value at line 1 column 10", "<nil>"},
		} {
			k.text(c.msg)
			m := k.until(func(map[string]any) bool { return true })
			e := m
			if !flat {
				e, _ = m["error"].(map[string]any)
			}
			if fmt.Sprint(e["code"]) != fmt.Sprint(c.code) || e["msg"] != c.text || fmt.Sprint(m["id"]) != c.id {
				t.Errorf("flat %v, %s: got %v, want %d %q for id %s", flat, c.msg, m, c.code, c.text, c.id)
			}
		}
	}
}

func TestTimeUnitOfAConnection(t *testing.T) {
	s := venueOf(t, nil)
	for unit, least := range map[string]float64{"": 1e12, "?timeUnit=MICROSECOND": 1e15, "?timeUnit=microsecond": 1e15, "?timeUnit=MILLISECOND": 1e12} {
		k := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms"+unit)
		m := k.until(func(map[string]any) bool { return true })
		if e, err := m["E"].(json.Number).Float64(); err != nil || e < least || e > least*1000 {
			t.Errorf("%q: got E %v, want about %g", unit, m["E"], least)
		}
	}
	c := restOf(t, s)
	for _, p := range []string{"/ws/btcusdt@trade?timeUnit=SECOND", "/stream?streams=btcusdt@trade&timeUnit=x", "/ws-api/v3?timeUnit=x"} {
		if code, _ := c.get(p).code(t); code != -1194 {
			t.Errorf("%s: got %d, want -1194", p, code)
		}
	}
}

func TestUpperCaseAndUnknownSymbolsStaySilent(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/stream?streams=BTCUSDT@bookTicker/nope@trade/junk")
	k.text(`{"method":"SUBSCRIBE","params":["ethusdt@bookTicker"],"id":1}`)
	for range 20 {
		m := k.until(func(m map[string]any) bool { return m["stream"] != nil })
		if m["stream"] != "ethusdt@bookTicker" {
			t.Fatalf("got %v, want only ethusdt@bookTicker", m)
		}
	}
}

func TestPingCarriesAPayloadAndAnAnsweredConnectionLives(t *testing.T) {
	s := venueOf(t, func(c *Config) {
		c.PingInterval = 20 * time.Millisecond
		c.PongTimeout = hang
		c.ClientMessagesPerSecond = 1000
	})
	k := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
	for len(k.pings) < 5 {
		k.next()
	}
	for _, p := range k.pings {
		if p == "" {
			t.Error("got an empty PING, want a payload")
		}
	}
}

func TestUnansweredPingEndsTheConnection(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.PingInterval = 10 * time.Millisecond; c.PongTimeout = 60 * time.Millisecond })
	for _, url := range []string{s.Stream() + "/ws/btcusdt@trade", s.WSAPI()} {
		k := dial(t, url)
		k.silent = true
		// Unsolicited PONGs and PONGs with another payload are allowed and keep nothing alive.
		k.write(ws.OpPong, nil)
		k.write(ws.OpPong, []byte("other"))
		if err := k.ended(); err == nil {
			t.Errorf("%s: got no end", url)
		}
	}
	if got := s.Stats().PongLate; got != 2 {
		t.Errorf("got %d connections ended for a late PONG, want 2", got)
	}
}

func TestMoreThanFiveMessagesASecondDisconnect(t *testing.T) {
	s := venueOf(t, quiet)
	k := dial(t, s.Stream()+"/ws")
	for i := range 6 {
		switch i % 3 {
		case 0:
			k.text(`{"method":"LIST_SUBSCRIPTIONS","id":1}`)
		case 1:
			k.write(ws.OpPing, []byte("x"))
		case 2:
			k.write(ws.OpPong, nil)
		}
	}
	var closed closedError
	if err := k.ended(); !errors.As(err, &closed) || closed.code != ws.StatusPolicyViolation {
		t.Errorf("got %v, want a close with 1008", err)
	}
	if got := s.Stats().TooFast; got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}

func TestPaceAllowsFiveInAnySecond(t *testing.T) {
	p := newPace(5)
	at := time.Unix(1000, 0)
	for i := range 5 {
		if !p.allow(at.Add(time.Duration(i) * 100 * time.Millisecond)) {
			t.Fatalf("message %d: got refused", i)
		}
	}
	if p.allow(at.Add(999 * time.Millisecond)) {
		t.Error("sixth within a second: got allowed")
	}
	if !p.allow(at.Add(1000 * time.Millisecond)) {
		t.Error("sixth after a second: got refused")
	}
}

func TestProtocolErrorsAreAnsweredWithACloseCode(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.MaxMessage = 1024 })
	for name, c := range map[string]struct {
		frame []byte
		code  ws.StatusCode
	}{
		"unmasked":           {[]byte{0x81, 0x01, 'x'}, ws.StatusProtocolError},
		"reserved bit":       {append([]byte{0xC1, 0x80}, 0, 0, 0, 0), ws.StatusProtocolError},
		"reserved opcode":    {append([]byte{0x83, 0x80}, 0, 0, 0, 0), ws.StatusProtocolError},
		"stray continuation": {append([]byte{0x80, 0x80}, 0, 0, 0, 0), ws.StatusProtocolError},
		"long control":       {append([]byte{0x89, 0xFE, 0, 126}, make([]byte, 130)...), ws.StatusProtocolError},
		"fragmented control": {append([]byte{0x09, 0x80}, 0, 0, 0, 0), ws.StatusProtocolError},
		"too big":            {[]byte{0x81, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, ws.StatusMessageTooBig},
		"binary":             {append([]byte{0x82, 0x81}, 0, 0, 0, 0, 'x'), ws.StatusUnsupportedData},
		"not UTF-8":          {append([]byte{0x81, 0x81}, 0, 0, 0, 0, 0xFF), ws.StatusInvalidFramePayloadData},
	} {
		for _, url := range []string{s.Stream() + "/ws", s.WSAPI()} {
			k := dial(t, url)
			if _, err := k.c.Write(c.frame); err != nil {
				t.Fatal(err)
			}
			var closed closedError
			if err := k.ended(); !errors.As(err, &closed) || closed.code != c.code {
				t.Errorf("%s at %s: got %v, want close %d", name, url, err, c.code)
			}
		}
	}
}

func TestFragmentedRequestsAreJoinedAroundControlFrames(t *testing.T) {
	s := venueOf(t, quiet)
	k := dial(t, s.Stream()+"/ws")
	part := func(op ws.OpCode, fin bool, text string) {
		if err := ws.WriteFrame(k.c, ws.MaskFrame(ws.NewFrame(op, fin, []byte(text)))); err != nil {
			t.Fatal(err)
		}
	}
	part(ws.OpText, false, `{"method":"GET_PRO`)
	part(ws.OpPing, true, "between")
	part(ws.OpContinuation, true, `PERTY","params":["combined"],"id":5}`)
	op, p, err := k.frame()
	if err != nil || op != ws.OpPong || string(p) != "between" {
		t.Fatalf("got %v %q %v, want the PONG first", op, p, err)
	}
	if got := string(k.next()); got != `{"result":false,"id":5}` {
		t.Errorf("got %s", got)
	}
}

func TestCloseIsAnsweredWithItsOwnCode(t *testing.T) {
	s := venueOf(t, quiet)
	k := dial(t, s.Stream()+"/ws")
	k.write(ws.OpClose, ws.NewCloseFrameBody(4001, "bye"))
	var closed closedError
	if err := k.ended(); !errors.As(err, &closed) || closed.code != 4001 {
		t.Errorf("got %v, want close 4001", err)
	}
}

func TestServerShutdownPrecedesThePlannedCloseInEveryForm(t *testing.T) {
	s := venueOf(t, func(c *Config) {
		c.Quiet = true
		c.ConnectionLife = 30 * time.Millisecond
		c.ShutdownLead = 20 * time.Millisecond
	})
	for url, want := range map[string]string{
		s.Stream() + "/ws":     `{"e":"serverShutdown","E":`,
		s.Stream() + "/stream": `{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":`,
		s.WSAPI():              `{"event":{"e":"serverShutdown","E":`,
	} {
		k := dial(t, url)
		if got := string(k.next()); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s...", url, got, want)
		}
		var closed closedError
		if err := k.ended(); !errors.As(err, &closed) || closed.code != ws.StatusGoingAway {
			t.Errorf("%s: got %v, want close 1001", url, err)
		}
	}
}

func TestConnectionAttemptsAreLimited(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.Connections = RateLimit{"DAY", 1, 3} })
	for _, url := range []string{s.Stream() + "/ws", s.WSAPI()} {
		for range 3 {
			dial(t, url)
		}
		if _, err := tryDial(url); err == nil || !strings.Contains(err.Error(), "429") {
			t.Errorf("%s: got %v for the fourth connection, want 429", url, err)
		}
	}
}

func TestTooManyStreamsInTheURLAreRefused(t *testing.T) {
	s := venueOf(t, quiet)
	var names []string
	for i := range 1025 {
		names = append(names, fmt.Sprintf("s%d@trade", i))
	}
	if code, _ := restOf(t, s).get("/stream?streams=" + strings.Join(names, "/")).code(t); code != -1101 {
		t.Errorf("got %d, want -1101", code)
	}
}

func TestASlowClientIsDisconnectedAndNobodyElseWaits(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.QueueFrames = 16; c.SendBuffer = 4096; c.PingInterval = time.Hour })
	slow := dial(t, s.Stream()+"/stream?streams=btcusdt@depth20@100ms/btcusdt@bookTicker/btcusdt@depth@100ms/ethusdt@depth20@100ms")
	// One frame a second: on a busy machine this client must not become a slow one too.
	quick := dial(t, s.Stream()+"/ws/btcusdt@ticker")
	// The slow client reads nothing: kernel buffers fill up, then its queue, then it is gone. A stopped receive window
	// is made sure of by small socket buffers.
	setBuffers(t, slow)
	for s.Stats().Slow == 0 {
		quick.next()
	}
	quick.next()
}

func TestBreakStopsMarketDataAndHaltDoesNot(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms")
	if err := s.SetStatus("BTCUSDT", exchange.Break); err != nil {
		t.Fatal(err)
	}
	c := restOf(t, s)
	// Whatever was queued before the change is over once ETHUSDT events of a later time have come twice.
	since := float64(s.Now()/1000 + 1)
	later := 0
	k.until(func(m map[string]any) bool {
		d := m["data"].(map[string]any)
		e, err := d["E"].(json.Number).Float64()
		if err != nil {
			t.Fatal(err)
		}
		if e > since && m["stream"] == "btcusdt@depth@100ms" {
			t.Error("got market data of a symbol in BREAK")
		}
		if e > since {
			later++
		}
		return later == 5
	})
	if r := c.get("/api/v3/ping"); r.status != 200 {
		t.Errorf("got %d, want 200", r.status)
	}
}
