package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/signal"
	"riposte/feed/alert"
	"riposte/tools/sock"
)

// intake is all that a desk has to do with signals from outside and with scores: the
// sources, their way to the shard, the venue's statistics, and what came of it.
type intake struct {
	d        *desk
	names    []string // of sources, then of own signals; see Config.scored
	sources  []*alert.Source
	sockets  []*alert.Socket // by source, nil for webhooks
	webhooks []*webhook
	keys     [][]byte // secrets, to be wiped
	alerts   *ring.Ring[airlock.Alert]
	verdicts *ring.Ring[airlock.Verdict]

	stop      context.CancelFunc
	done      sync.WaitGroup
	startedAt core.MonoNs

	// The printing goroutine's.
	last    []lastVerdicts // by source
	savedAt time.Time

	mu      sync.Mutex
	queued  map[uint64]waiting // signals that wait for a person
	trouble string             // of the venue's statistics
}

// waiting is one signal that waits for a person.
type waiting struct {
	source, text string
	till         core.WallNs // by the venue's clock
}

// lastVerdicts are a source's newest, in words.
type lastVerdicts struct{ accepted, refused string }

// Rings between sources, shard and status.
const (
	alertRing   = 1 << 8
	verdictRing = 1 << 10
)

// addOutside gives the shard its airlock and its scores. Without sources and signals
// there is nothing to hear and nothing to score.
func (d *desk) addOutside(shard *engine.Config) error {
	names := d.cfg.scored()
	if len(names) == 0 {
		return nil
	}
	o := &intake{d: d, names: names, last: make([]lastVerdicts, len(names)), queued: map[uint64]waiting{}, alerts: ring.New[airlock.Alert](alertRing),
		verdicts: ring.New[airlock.Verdict](verdictRing), savedAt: time.Now()}
	d.intake = o
	shard.Airlock.Alerts, shard.Airlock.Verdicts = o.alerts, o.verdicts
	if err := readScores(d.cfg.Journal.Dir, names, shard.Score.Begin); err != nil {
		// What was earned is lost, and everybody begins anew: nothing to stop trading for.
		d.warnings = append(d.warnings, err.Error())
	}
	how := d.cfg.Score.scoring()
	if d.folder != nil {
		shard.Airlock.Heard = func(v *airlock.Verdict) { d.journal.Heard(v, o.nameOf(v)) }
		shard.Score.Marked = func(m *signal.Marked, key int, s *signal.Score) {
			d.journal.MarkedOut(m, o.names[key])
			if m.Weighs && m.Horizon == m.Own && m.After > 0 {
				d.journal.Scored(o.names[key], s, s.Weight(&how))
			}
		}
	}
	d.scores = shard.Score.Begin
	d.begun = func() { // what this run starts from
		for i := range d.scores {
			d.journal.Scored(names[i], &d.scores[i], d.scores[i].Weight(&how))
		}
	}
	return o.openSources()
}

// nameOf is the source of a signal, or its rule.
func (o *intake) nameOf(v *airlock.Verdict) string {
	if n := int(v.Alert.Source); n > 0 {
		return o.names[n-1]
	}
	return o.d.signals.rules[v.Alert.Instrument].List()[v.Rule].Name
}

// openSources makes the sources, which hear nothing yet.
func (o *intake) openSources() error {
	inbox := alert.NewInbox(o.alerts, o.d.engineWait.Wake)
	for i, name := range o.d.cfg.sourceNames() {
		s := o.d.cfg.Sources[name].withDefaults()
		cfg := s.source(name, o.d.table)
		cfg.Number, cfg.Clock, cfg.Venue, cfg.Inbox = uint16(i+1), o.d.clock, o.d.vclock.Now, inbox
		if s.SecretFile != "" || s.Credential != "" {
			secret, err := loadSecret(&s)
			if err != nil {
				return usageError{fmt.Errorf("sources.%s: %w", name, err)}
			}
			o.keys = append(o.keys, secret)
			cfg.Auth.Secret = secret
		}
		src, err := alert.NewSource(cfg)
		if err != nil {
			return usageError{err}
		}
		o.sources = append(o.sources, src)
	}
	return nil
}

// source is a source's configuration in the intake's words.
func (s *SourceConfig) source(name string, t *core.Instruments) alert.Config {
	f := &s.Fields
	cfg := alert.Config{Name: name, BodyMax: s.BodyMax, Every: core.MonoNs(time.Minute) / core.MonoNs(s.RateMax), Burst: int64(s.Burst),
		Window: core.MonoNs(s.ReplayWindow.Duration), Keep: replayKeep,
		Auth: alert.Auth{Kind: map[string]alert.Kind{"none": alert.Unsigned, "hmac": alert.Signed, "path": alert.PathToken, "body": alert.BodyToken}[s.Auth],
			Prefix: s.SignaturePrefix, Joint: s.SignatureJoint, Format: s.TimestampUnit},
		Mapping: alert.Mapping{Fields: alert.Fields{Symbol: f.Symbol, Side: f.Side, Price: f.Price, Time: f.Time, ID: f.ID, Strength: f.Strength, Horizon: f.Horizon, Token: f.Proof},
			TimeFormat: s.TimeFormat, Symbols: map[string]core.InstrumentID{}, Sides: map[string]core.Side{}, Horizons: map[string]core.MonoNs{},
			HorizonUnit: core.MonoNs(s.HorizonUnit.Duration), Horizon: core.MonoNs(s.Horizon.Duration), HorizonMax: core.MonoNs(horizonMost), FullAt: s.StrengthFull,
			When: s.When, Equals: s.Equals}}
	for i := range t.List {
		cfg.Mapping.Symbols[t.List[i].Symbol] = t.List[i].ID
	}
	for told, sym := range s.Symbols {
		if in, ok := t.Lookup(sym); ok {
			cfg.Mapping.Symbols[told] = in.ID
		}
	}
	for word, side := range s.Sides {
		cfg.Mapping.Sides[word] = core.Buy
		if side == "sell" {
			cfg.Mapping.Sides[word] = core.Sell
		}
	}
	for word, h := range s.Horizons {
		cfg.Mapping.Horizons[word] = core.MonoNs(h.Duration)
	}
	return cfg
}

// start opens the ways in, once the shard runs, and asks the venue for its statistics
// from now on.
func (o *intake) start() error {
	if o == nil || len(o.sources) == 0 {
		return nil
	}
	if o.d.journal == nil && o.d.folder != nil {
		return errors.New("BUG: signals from outside are let in before the journal begins")
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.stop, o.startedAt = cancel, o.d.clock.Mono()
	o.done.Go(func() { o.watchDay(ctx) })
	o.sockets = make([]*alert.Socket, len(o.sources))
	for i, name := range o.d.cfg.sourceNames() {
		s := o.d.cfg.Sources[name].withDefaults()
		if s.Kind == "webhook" {
			if err := o.hook(&s, o.sources[i]); err != nil {
				return usageError{fmt.Errorf("sources.%s: %w", name, err)}
			}
			continue
		}
		if err := o.connect(i, &s); err != nil {
			return usageError{fmt.Errorf("sources.%s: %w", name, err)}
		}
	}
	for _, w := range o.webhooks {
		w.serve()
	}
	return nil
}

// secretHole in a source's subscribe stands for its secret.
const secretHole = "{secret}"

func (o *intake) connect(i int, s *SourceConfig) (err error) {
	conf := o.d.sites.tls
	if s.CAFile != "" {
		if conf, err = sock.NewTLS(s.CAFile); err != nil {
			return err
		}
	}
	subscribe := s.Subscribe
	if strings.Contains(subscribe, secretHole) {
		secret, err := loadSecret(s)
		if err != nil {
			return err
		}
		subscribe = strings.ReplaceAll(subscribe, secretHole, string(secret))
	}
	o.sockets[i], err = alert.OpenSocket(alert.SocketConfig{URL: s.URL, Subscribe: []byte(subscribe), Source: o.sources[i], Clock: o.d.clock,
		Dial: o.d.ports.dialer(nil, conf, sock.Options{}), Seed: o.d.ports.seedOf(seedOutside, o.d.epoch) + uint64(i), Go: o.d.ports.spawn})
	return err
}

// close ends the ways in. The shard may have been stopped.
func (o *intake) close() error {
	if o == nil {
		return nil
	}
	var errs []error
	for _, w := range o.webhooks {
		errs = append(errs, w.close())
	}
	o.webhooks = nil
	for i, k := range o.sockets {
		if k != nil {
			k.Close()
			o.sockets[i] = nil
		}
	}
	if o.stop != nil {
		o.stop()
		o.done.Wait()
		o.stop = nil
		errs = append(errs, o.save())
	}
	for _, k := range o.keys {
		clear(k)
	}
	return errors.Join(errs...)
}

// approve lets a signal pass that waits for a person. Any goroutine.
func (c *control) approve(number uint64, a act) error {
	o := c.d.intake
	if o == nil {
		return errors.New("no signal waits: there are no sources")
	}
	o.mu.Lock()
	w, ok := o.queued[number]
	delete(o.queued, number)
	o.mu.Unlock()
	if !ok {
		return fmt.Errorf("no signal %d waits for a person: it was none, has been dealt with or is too old", number)
	}
	a.Op, a.When, a.What = "approve", time.Now(), fmt.Sprintf("signal %d: %s", number, w.text)
	if err := writeAct(c.dir, a); err != nil {
		return err
	}
	c.send(engine.Command{Kind: engine.CmdApprove, Number: number})
	return nil
}
