package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/tools/venue"
)

func init() { engine.Register("stuck", newStuck) }

// stuck rests an order and then never returns from a call: an endless loop in a
// strategy, which stops all that shares its thread.
type stuck struct {
	qty   core.Qty
	rests bool

	rounds int
}

// isStuck is the line that it prints then.
const isStuck = "the strategy is stuck"

func newStuck(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	return &stuck{qty: p.Qty("qty", in.Filters.QtyMin)}, p.Done()
}

func (s *stuck) Market(v *engine.View, _ *core.Event) {
	if s.rests {
		fmt.Println(isStuck)
	}
	for n := 0; s.rests; n++ {
		s.rounds = n
	}
	if v.Exposure().Open == 0 {
		// So far off that it rests.
		far := v.Top().Bid * 995 / 1000
		v.Post(core.Buy, far-far%v.Instrument().Filters.Tick, s.qty)
	}
}

func (s *stuck) Report(_ *engine.View, r *core.Report, _ *risk.Order) {
	s.rests = s.rests || r.Kind == core.ReportAck
}

func (s *stuck) Timer(*engine.View) {}

// outside is a venue of the test's own, and riposte processes that use it.
type outside struct {
	t      *testing.T
	srv    *venue.Server
	dir    string
	config string
}

func newOutside(t *testing.T, edits ...string) *outside {
	t.Helper()
	return newOutsideWith(t, nil, edits...)
}

// newOutsideWith gives the venue these accounts, of which riposte uses main.
func newOutsideWith(t *testing.T, accounts []venue.Account, edits ...string) *outside {
	t.Helper()
	srv, err := venue.Start(t.Context(), venue.Config{Seed: 1, Symbols: []string{"BTCUSDT", "ETHUSDT"}, DepthFast: 20 * time.Millisecond, Accounts: accounts})
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{t: t, srv: srv, dir: t.TempDir()}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	keyFile := filepath.Join(o.dir, "key")
	key, _ := srv.Key("main", venue.HMAC)
	if err := os.WriteFile(keyFile, fmt.Appendf(nil, "api_key = %q\nsecret = %q\n", key.APIKey, key.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	o.config = filepath.Join(o.dir, "riposte.toml")
	pairs := append([]string{
		"rest = \"\"", fmt.Sprintf("rest = %q", srv.REST()), "stream = \"\"", fmt.Sprintf("stream = %q", srv.Stream()),
		"ws_api = \"\"", fmt.Sprintf("ws_api = %q", srv.WSAPI()), "key_file = \"\"", fmt.Sprintf("key_file = %q", keyFile),
		`symbols = ["BTCUSDT", "ETHUSDT", "BNBBTC", "LTCBTC", "ETHBTC"]`, `symbols = ["BTCUSDT", "ETHUSDT"]`,
		`dir = ".riposte"`, fmt.Sprintf("dir = %q", filepath.Join(o.dir, "state")),
		"[budget]\n", "[budget]\n", "dir = \"\"\n# Processes", fmt.Sprintf("dir = %q\n# Processes", filepath.Join(o.dir, "shared")),
	}, edits...)
	text := string(defaultTOML)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the built-in configuration has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// process is one of ours, running.
type process struct {
	*exec.Cmd
	o     *outside
	lines chan string // of its standard output; closed at its end
}

// says waits for a line that holds text.
func (p *process) says(text string) {
	p.o.t.Helper()
	hang := time.After(60 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.o.t.Fatalf("the process ended without saying %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-hang:
			p.o.t.Fatalf("the process has not said %q", text)
		}
	}
}

// start runs riposte with the configuration. It is killed with the test.
func (o *outside) start(args ...string) *process {
	o.t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], append(args, "--config", o.config)...), o: o, lines: make(chan string, 1<<16)}
	p.Dir = o.dir
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		o.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		sc := bufio.NewScanner(out)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			select {
			case p.lines <- sc.Text():
			default: // nobody reads so many
			}
		}
		close(p.lines)
		_, _ = io.Copy(io.Discard, out)
	}()
	o.t.Cleanup(func() {
		_ = p.Process.Kill()
		<-read
		_ = p.Wait() // killed, if it has not ended by itself
	})
	return p
}

// open is how many orders of the account work at the venue.
func (o *outside) open() int {
	o.t.Helper()
	list, err := o.srv.OpenOrders("main")
	if err != nil {
		o.t.Fatal(err)
	}
	return len(list)
}

// until waits for cond; the limit is only a hang guard.
func (o *outside) until(what string, cond func() bool) {
	o.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for guard := time.Now().Add(60 * time.Second); !cond(); {
		if time.Now().After(guard) {
			o.t.Fatalf("gave up waiting until %s", what)
		}
		<-tick.C
	}
}

// P16: whatever stops the engine's loop, its orders are gone a few seconds later.
func TestAGuardCancelsForAnEngineThatCannot(t *testing.T) {
	kill := func(o *outside, p *process) { _ = p.Process.Kill() }
	stop := func(o *outside, p *process) { _ = p.Process.Signal(syscall.SIGSTOP) }
	for name, c := range map[string]struct {
		edits  []string
		freeze func(*outside, *process)
	}{
		"killed":              {nil, kill},
		"stopped":             {nil, stop},
		"endless loop inside": {[]string{`name = "quoter"`, `name = "stuck"`}, func(*outside, *process) {}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.edits != nil {
				c.edits = append(c.edits, paramsOf(t)...)
			}
			o := newOutside(t, append(c.edits, "stale_after = \"3s\"\n# The guard", "stale_after = \"1s\"\n# The guard")...)
			g := o.start("guard")
			p := o.start("run", "--json")
			o.until("orders rest at the venue", func() bool { return o.open() > 0 })
			frozen := time.Now()
			c.freeze(o, p)
			g.says("nothing of the engine is open any more")
			if n := o.open(); n != 0 {
				t.Errorf("%d orders are open", n)
			}
			t.Logf("own orders were gone %v after the engine had stopped (stale_after 1s)", time.Since(frozen).Round(time.Millisecond))
		})
	}
}

// paramsOf is an edit that takes the built-in strategy's parameters away.
func paramsOf(t *testing.T) []string {
	t.Helper()
	text := string(defaultTOML)
	at := strings.Index(text, "[strategy.params]")
	if at < 0 {
		t.Fatal("the built-in configuration has no [strategy.params]")
	}
	part := text[at:]
	if end := strings.Index(part[1:], "\n["); end >= 0 {
		part = part[:end+1]
	}
	return []string{part, "[strategy.params]\nqty = \"0.01\"\n"}
}

// An engine that was frozen, taken for dead and wakes up sends nothing until a human
// has looked.
func TestAnEngineTakenForDeadSendsNothingWhenItWakes(t *testing.T) {
	o := newOutside(t, "stale_after = \"3s\"\n# The guard", "stale_after = \"1s\"\n# The guard")
	g := o.start("guard")
	p := o.start("run", "--json")
	o.until("orders rest at the venue", func() bool { return o.open() > 0 })
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	g.says("nothing of the engine is open any more")
	placed := o.srv.Stats().Accepted
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range cap(p.lines) {
		line, ok := <-p.lines
		if !ok {
			t.Fatal("the engine ended")
		}
		var r report
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.State, risk.HaltGuard.String()) && r.BooksLive == r.Books {
			break // awake, with all it needs to trade
		}
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if n := o.srv.Stats().Accepted; n != placed {
		t.Errorf("%d orders were placed after it had been taken for dead", n-placed)
	}
}

// The venue serves the futures countdown on its one REST address and cancels whatever
// the account has on the symbol.
func TestTheCountdownOfFuturesEndsOrdersWhenTheHostIsGone(t *testing.T) {
	o := newOutside(t, append(paramsOf(t), `name = "quoter"`, `name = "stuck"`, "usdm_symbols = []", `usdm_symbols = ["BTCUSDT", "ETHUSDT"]`, `usdm_countdown = "60s"`, `usdm_countdown = "5s"`,
		`usdm_rest = ""`, "usdm_rest = \"REST\"")...)
	text, err := os.ReadFile(o.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.config, []byte(strings.Replace(string(text), `"REST"`, fmt.Sprintf("%q", o.srv.REST()), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	g := o.start("guard")
	p := o.start("run", "--json")
	g.says("countdown of 5s runs")
	o.until("orders rest at the venue", func() bool { return o.open() > 0 })
	_ = g.Process.Kill() // guard and engine at once: the host
	_ = p.Process.Kill()
	if o.open() == 0 {
		t.Fatal("no order is left for the countdown")
	}
	o.until("the countdown has run out", func() bool { return o.open() == 0 })
}

func TestAnEngineCanRefuseToTradeUnguarded(t *testing.T) {
	o := newOutside(t, "guard_required = false", "guard_required = true")
	p := o.start("run", "--json")
	var r report
	for range 3 { // seconds
		if err := json.Unmarshal([]byte(<-p.lines), &r); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(r.State, risk.HaltUnguarded.String()) || r.Guarded || o.srv.Stats().Accepted != 0 {
		t.Errorf("state %q, guarded %v, %d orders, want halted for want of a guard", r.State, r.Guarded, o.srv.Stats().Accepted)
	}
	o.start("guard")
	o.until("it trades", func() bool { return o.open() > 0 })
}

func TestCancelNowEndsAnEnginesOrdersAndLeavesOthers(t *testing.T) {
	o := newOutside(t, append(paramsOf(t), `instance = "rp"`, `instance = "other"`, `name = "quoter"`, `name = "stuck"`)...)
	p := o.start("run", "--json")
	o.until("orders rest at the venue", func() bool { return o.open() > 0 })
	_ = p.Process.Kill()
	_ = p.Wait()
	o.until("the venue has read all it had sent", func() bool {
		c := o.srv.Stats().Connections
		return c["streams"]+c["wsapi"]+c["rest"] == 0
	})
	left := o.open()
	mine := o.config
	text, err := os.ReadFile(mine)
	if err != nil {
		t.Fatal(err)
	}
	o.config = filepath.Join(o.dir, "mine.toml")
	if err := os.WriteFile(o.config, []byte(strings.Replace(string(text), `instance = "other"`, `instance = "rp"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if q := o.start("guard", "--cancel-now"); q.Wait() != nil || o.open() != left {
		t.Fatalf("%d orders are left of another engine's %d", o.open(), left)
	}
	o.config = mine
	if q := o.start("guard", "--cancel-now"); q.Wait() != nil || o.open() != 0 {
		t.Errorf("%d of its own orders are left", o.open())
	}
}
