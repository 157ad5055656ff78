package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/ring"
)

const secret = "correct horse battery staple"

// desk is a source with everything around it, at an instant that stands still.
type desk struct {
	*Source
	clock *core.ManualClock
	ring  *ring.Ring[airlock.Alert]
}

const venueNow = core.WallNs(1_784_000_000_000_000_000)

func newDesk(t testing.TB, change func(*Config)) *desk {
	t.Helper()
	d := &desk{clock: &core.ManualClock{MonoNow: core.MonoNs(time.Hour)}, ring: ring.New[airlock.Alert](64)}
	cfg := Config{Name: "tv", Number: 3, BodyMax: 1024, Every: core.MonoNs(time.Second), Burst: 5, Window: core.MonoNs(time.Minute), Keep: 100, Clock: d.clock,
		Auth: Auth{Kind: Signed, Secret: []byte(secret), Format: "ms"},
		Mapping: Mapping{Fields: Fields{Symbol: "ticker", Side: "order.action", Price: "price", Time: "time", ID: "id", Strength: "strength", Horizon: "interval"},
			TimeFormat: "ms", Symbols: map[string]core.InstrumentID{"BINANCE:BTCUSDT": 4}, Sides: map[string]core.Side{"buy": core.Buy, "long": core.Buy, "sell": core.Sell},
			Horizons: map[string]core.MonoNs{"1D": core.MonoNs(24 * time.Hour)}, HorizonUnit: core.MonoNs(time.Minute), HorizonMax: core.MonoNs(24 * time.Hour), FullAt: 100},
		Venue: func() core.WallNs { return venueNow + core.WallNs(d.clock.MonoNow) - core.WallNs(time.Hour) },
		Inbox: NewInbox(d.ring, nil)}
	if change != nil {
		change(&cfg)
	}
	var err error
	if d.Source, err = NewSource(cfg); err != nil {
		t.Fatal(err)
	}
	return d
}

// taken is what has gone to the shard.
func (d *desk) taken() (all []airlock.Alert) {
	for p := d.ring.Pending(); len(p) > 0; p = d.ring.Pending() {
		all = append(all, p...)
		d.ring.Release(len(p))
	}
	return all
}

func sign(body string, at core.WallNs) *Proof {
	stamp := fmt.Sprint(int64(at) / 1e6)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + body))
	return &Proof{Signature: hex.EncodeToString(mac.Sum(nil)), Timestamp: stamp}
}

func (d *desk) send(body string) Answer {
	return d.Take([]byte(body), sign(body, venueNow), d.clock.Mono())
}

// message is a good one with an id.
func message(id string) string {
	return `{"id":"` + id + `","ticker":"BINANCE:BTCUSDT","order":{"action":"long"},"price":61837.64,"time":1784000000000,"strength":80,"interval":"15"}`
}

func TestAGoodMessageIsRead(t *testing.T) {
	d := newDesk(t, nil)
	if a := d.send(message("a-1")); a.Err != nil {
		t.Fatal(a.Err)
	}
	got := d.taken()
	if len(got) != 1 {
		t.Fatalf("%d alerts, want 1", len(got))
	}
	a := got[0]
	if a.Source != 3 || a.Instrument != 4 || a.Side != core.Buy || a.Price != 61837_64000000 || a.Issued != venueNow || a.Strength != core.Scale*80/100 ||
		a.Horizon != core.MonoNs(15*time.Minute) || a.ID.String() != "a-1" || a.Failed != airlock.None || a.Recv != d.clock.MonoNow {
		t.Errorf("read as %+v", a)
	}
}

// Each of these is signed well and wrong in one thing.
var malformedMessages = []struct{ body, field string }{
	{``, "not JSON"},
	{`{`, "not JSON"},
	{`null`, "ticker"},
	{`"buy BTCUSDT"`, "ticker"},
	{`[]`, "ticker"},
	{message("x") + `{}`, "not JSON"},
	{strings.Repeat(`{"a":`, 170), "not JSON"},
	{strings.Repeat(`[`, 1000), "not JSON"},
	{strings.Replace(message("x"), `"ticker"`, `"tickr"`, 1), "ticker"},
	{strings.Replace(message("x"), `"BINANCE:BTCUSDT"`, `{}`, 1), "ticker"},
	{strings.Replace(message("x"), `"BINANCE:BTCUSDT"`, `null`, 1), "ticker"},
	{strings.Replace(message("x"), `"long"`, `"LONG"`, 1), "order.action"},
	{strings.Replace(message("x"), `"long"`, `""`, 1), "order.action"},
	{strings.Replace(message("x"), `"long"`, `"hold"`, 1), "order.action"},
	{strings.Replace(message("x"), `{"action":"long"}`, `"long"`, 1), "order.action"},
	{strings.Replace(message("x"), `{"action":"long"}`, `{"action":"long","action":"sell"}`, 1), "order.action"},
	{strings.Replace(message("x"), `"price":61837.64`, `"price":61837.64,"price":1`, 1), "price"},
	{strings.Replace(message("x"), `"price":61837.64`, `"price":61837.64,"pr\u0069ce":1`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `NaN`, 1), "not JSON"},
	{strings.Replace(message("x"), `61837.64`, `"NaN"`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `"Infinity"`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `1e5`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `-61837.64`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `0`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `0.000000001`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `92233720369`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, strings.Repeat("9", 400), 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `"61,837.64"`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `"61837.64 "`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `true`, 1), "price"},
	{strings.Replace(message("x"), `61837.64`, `[61837.64]`, 1), "price"},
	{strings.Replace(message("x"), `1784000000000`, `1784000000`, 1), "time"}, // seconds
	{strings.Replace(message("x"), `1784000000000`, `"2026-07-14"`, 1), "time"},
	{strings.Replace(message("x"), `1784000000000`, `1784000000000.5`, 1), "time"},
	{strings.Replace(message("x"), `1784000000000`, `99999999999999999999`, 1), "time"},
	{strings.Replace(message("x"), `80`, `101`, 1), "strength"},
	{strings.Replace(message("x"), `80`, `"strong"`, 1), "strength"},
	{strings.Replace(message("x"), `"15"`, `"0"`, 1), "interval"},
	{strings.Replace(message("x"), `"15"`, `"1W"`, 1), "interval"},
	{strings.Replace(message("x"), `"15"`, `1441`, 1), "interval"},
	{message(""), "id"},
	{message(strings.Repeat("x", 64)), "id"},
}

func TestAMalformedMessageIsRefusedWithItsField(t *testing.T) {
	for _, c := range malformedMessages {
		d := newDesk(t, nil)
		a := d.send(c.body)
		if a.Failed != airlock.Message || a.Err == nil {
			t.Errorf("%.80q: refused by %v, %v, want a malformed message", c.body, a.Failed, a.Err)
			continue
		}
		text := a.Err.Error()
		if !strings.Contains(text, "source tv: "+c.field) || strings.ContainsAny(text, "\n\r\x1b") || len(text) > 250 {
			t.Errorf("%.80q: told as %q, want one line with source and %s", c.body, text, c.field)
		}
		if got := d.taken(); len(got) != 1 || got[0].Failed != airlock.Message || got[0].Price != 0 {
			t.Errorf("%.80q: the shard is told %+v, want the refusal and nothing of the message", c.body, got)
		}
		if st := d.Status(); st.Refused[airlock.Message] != 1 || st.Let != 0 {
			t.Errorf("%.80q: counted as %+v", c.body, st)
		}
	}
}

func TestDigitsBeyondTheEighthAreCut(t *testing.T) {
	d := newDesk(t, nil)
	d.send(strings.Replace(message("x"), "61837.64", "61837.640000000001", 1))
	if got := d.taken(); len(got) != 1 || got[0].Price != 61837_64000000 {
		t.Errorf("read as %+v, want 61837.64", got)
	}
}

func TestOnlyTheSourceIsBelieved(t *testing.T) {
	good := message("a")
	other := sign(good, venueNow)
	flipped := *other
	flipped.Signature = strings.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return r
	}, other.Signature)
	for _, c := range []struct {
		name  string
		body  string
		proof *Proof
		want  airlock.Gate
	}{
		{"not signed", good, &Proof{}, airlock.Authenticity},
		{"without a timestamp", good, &Proof{Signature: other.Signature}, airlock.Authenticity},
		{"not hexadecimal", good, &Proof{Signature: "zz", Timestamp: other.Timestamp}, airlock.Authenticity},
		{"half a signature", good, &Proof{Signature: other.Signature[:32], Timestamp: other.Timestamp}, airlock.Authenticity},
		{"another's signature", good, &flipped, airlock.Authenticity},
		{"another body", message("b"), other, airlock.Authenticity},
		{"another time", good, &Proof{Signature: other.Signature, Timestamp: "1784000000001"}, airlock.Authenticity},
		{"digits moved from body to timestamp", good[1:], &Proof{Signature: other.Signature, Timestamp: other.Timestamp + good[:1]}, airlock.Authenticity},
		{"signed long ago", good, sign(good, venueNow-core.WallNs(61*time.Second)), airlock.Replay},
		{"signed in the future", good, sign(good, venueNow+core.WallNs(61*time.Second)), airlock.Replay},
		{"issued long ago", strings.Replace(good, "1784000000000", "1783999900000", 1), nil, airlock.Replay},
		{"good", good, other, airlock.None},
		{"the same again", good, other, airlock.Replay},
		{"the same id in another body", strings.Replace(good, "61837", "61838", 1), nil, airlock.Replay},
		{"too long", good + strings.Repeat(" ", 1024), nil, airlock.Size},
	} {
		d := newDesk(t, nil)
		if c.want == airlock.Replay && !strings.Contains(c.name, "ago") && !strings.Contains(c.name, "future") {
			d.send(good)
		}
		if c.proof == nil {
			c.proof = sign(c.body, venueNow)
		}
		if a := d.Take([]byte(c.body), c.proof, d.clock.Mono()); a.Failed != c.want {
			t.Errorf("%s: refused by %v (%v), want %v", c.name, a.Failed, a.Err, c.want)
		}
	}
}

func TestTokensInPathAndBody(t *testing.T) {
	path := newDesk(t, func(c *Config) { c.Auth.Kind = PathToken })
	body := newDesk(t, func(c *Config) { c.Auth.Kind, c.Mapping.Fields.Token = BodyToken, "key" })
	with := func(token string) string { return strings.Replace(message("a"), "{", `{"key":`+token+`,`, 1) }
	for _, c := range []struct {
		name string
		got  Answer
		want airlock.Gate
	}{
		{"no token", path.Take([]byte(message("a")), &Proof{}, 1), airlock.Authenticity},
		{"a wrong one", path.Take([]byte(message("a")), &Proof{Token: secret + "x"}, 1), airlock.Authenticity},
		{"the right one", path.Take([]byte(message("a")), &Proof{Token: secret}, 1), airlock.None},
		{"none in the body", body.Take([]byte(message("a")), &Proof{}, 1), airlock.Authenticity},
		{"a wrong one in the body", body.Take([]byte(with(`"x"`)), &Proof{}, 1), airlock.Authenticity},
		{"two in the body", body.Take([]byte(with(`"`+secret+`","key":"`+secret+`"`)), &Proof{}, 1), airlock.Authenticity},
		{"one of another type", body.Take([]byte(with(`["`+secret+`"]`)), &Proof{}, 1), airlock.Authenticity},
		{"the right one in the body", body.Take([]byte(with(`"`+secret+`"`)), &Proof{}, 1), airlock.None},
	} {
		if c.got.Failed != c.want {
			t.Errorf("%s: refused by %v (%v), want %v", c.name, c.got.Failed, c.got.Err, c.want)
		}
		if c.got.Err != nil && strings.Contains(c.got.Err.Error(), secret) {
			t.Errorf("%s: the secret is told: %v", c.name, c.got.Err)
		}
	}
}

func TestASourceThatSpeaksTooOftenIsHeardNoMore(t *testing.T) {
	d := newDesk(t, nil)
	n := [airlock.Gates]int{}
	for i := range 20 {
		n[d.send(message(fmt.Sprint("a", i))).Failed]++
	}
	if n[airlock.None] != 5 || n[airlock.Rate] != 15 {
		t.Fatalf("%d let in and %d refused, want 5 and 15", n[airlock.None], n[airlock.Rate])
	}
	d.clock.Advance(time.Second)
	// What was refused for its rate is no replay.
	if a, b := d.send(message("a19")), d.send(message("a18")); a.Failed != airlock.None || b.Failed != airlock.Rate {
		t.Errorf("a second later %v and %v, want one more let in", a.Failed, b.Failed)
	}
}

func TestMemoryOfWhatWasHeardIsBounded(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Keep, c.Burst = 3, 1000 })
	for i := range 3 {
		if a := d.send(message(fmt.Sprint(i))); a.Failed != airlock.None {
			t.Fatal(a.Err)
		}
	}
	if a := d.send(message("3")); a.Failed != airlock.Replay {
		t.Errorf("one more than can be remembered is refused by %v, want replay", a.Failed)
	}
	d.clock.Advance(2 * time.Minute) // and then they are too old to come again
	now := strings.Replace(message("3"), "1784000000000", "1784000120000", 1)
	if a := d.Take([]byte(now), sign(now, venueNow+core.WallNs(2*time.Minute)), d.clock.Mono()); a.Failed != airlock.None {
		t.Errorf("refused by %v (%v) when the others are forgotten", a.Failed, a.Err)
	}
	if n := len(d.seen.at); n != 1 {
		t.Errorf("%d are remembered, want 1", n)
	}
}

// A flood of forgeries fills neither the ring nor the journal, and the source is still
// heard through it.
func TestAFloodOfForgeriesIsCounted(t *testing.T) {
	d := newDesk(t, nil)
	for range 1000 {
		d.Take([]byte(message("a")), &Proof{}, d.clock.Mono())
	}
	if a := d.send(message("a")); a.Err != nil {
		t.Fatal(a.Err)
	}
	if st, got := d.Status(), d.taken(); len(got) != tellBurst+1 || st.Refused[airlock.Authenticity] != 1000 || st.Untold != 1000-tellBurst || st.Let != 1 {
		t.Errorf("%d came to the shard, status %+v, want %d and the rest counted", len(got), st, tellBurst+1)
	}
}

func TestAFullWayToTheShardIsAnswered(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Burst = 1000 })
	full := 0
	for i := range 80 {
		if d.send(message(fmt.Sprint(i))).Full {
			full++
		}
	}
	if st := d.Status(); full != 16 || st.Lost != 16 || st.Let != 64 {
		t.Errorf("%d found it full, status %+v, want 16", full, st)
	}
}

func TestMessagesThatAreNoSignalsAreIgnored(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Auth.Kind, c.Mapping.When, c.Mapping.Equals = Unsigned, "type", "signal" })
	for _, body := range []string{`{"type":"heartbeat"}`, `{"ok":true}`, `[1,2]`, `{"type":{"a":1}}`} {
		if a := d.Take([]byte(body), &Proof{}, 1); !a.Ignored || a.Err != nil {
			t.Errorf("%s: %+v, want it ignored", body, a)
		}
	}
	if a := d.Take([]byte(`{"type":"signal"}`), &Proof{}, 1); a.Failed != airlock.Message {
		t.Errorf("a signal without fields: %+v, want it refused", a)
	}
	if a := d.Take([]byte(strings.Replace(message("a"), "{", `{"type":"signal",`, 1)), &Proof{}, 1); a.Err != nil || a.Ignored {
		t.Errorf("a signal: %+v, want it let in", a)
	}
}

func FuzzTake(f *testing.F) {
	f.Add([]byte(message("a")))
	for _, c := range malformedMessages {
		f.Add([]byte(c.body))
	}
	// As TradingView, VoiceOfChain and others write them.
	f.Add([]byte(`{"ticker":"BTCUSDT","exchange":"BINANCE","time":"2026-07-14T08:15:00Z","close":61837.64,"strategy":{"order":{"action":"buy","contracts":0.01,"id":"Long"}}}`))
	f.Add([]byte(`{"ev":"signal","data":[{"sym":"BTC/USDT","dir":"LONG","px":"61837.64","ts":1784000000,"conf":0.87,"tf":"4h"}]}`))
	f.Add([]byte(`BTCUSDT Crossing 61837.64`))
	f.Add([]byte("{\"ticker\":\"BINANCE:BTCUSDT\",\"id\":\"\x00\xff\",\"order\":{\"action\":\"long\"}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := newDesk(t, func(c *Config) { c.Auth.Kind = Unsigned })
		a := d.Take(body, &Proof{}, d.clock.Mono())
		if a.Err != nil && (strings.ContainsAny(a.Err.Error(), "\n\r\x1b\x00") || len(a.Err.Error()) > 300) {
			t.Errorf("an error of more than one plain line: %q", a.Err)
		}
		for _, x := range d.taken() {
			if x.Failed == airlock.None && (x.Price <= 0 || x.Strength < 0 || x.Strength > core.Scale || x.Horizon <= 0 || x.Side > core.Sell || x.Issued < venueNow-core.WallNs(time.Minute)) {
				t.Errorf("let in as %+v", x)
			}
		}
	})
}
