package app

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/engine"
	"riposte/core/signal"
	"riposte/feed/alert"
)

// SourceConfig is one [sources.NAME]: signals from outside.
type SourceConfig struct {
	Kind        string `toml:"kind"` // webhook or websocket
	Listen      string `toml:"listen"`
	Path        string `toml:"path"`
	AllowRemote bool   `toml:"allow_remote"`
	URL         string `toml:"url"`
	Subscribe   string `toml:"subscribe"`
	CAFile      string `toml:"ca_file"`

	Auth            string `toml:"auth"` // hmac, path, body, none
	SecretFile      string `toml:"secret_file"`
	Credential      string `toml:"credential"`
	SignatureHeader string `toml:"signature_header"`
	SignaturePrefix string `toml:"signature_prefix"`
	SignatureJoint  string `toml:"signature_joint"`
	TimestampHeader string `toml:"timestamp_header"`
	TimestampUnit   string `toml:"timestamp_unit"`

	Fields       FieldsConfig        `toml:"fields"`
	When         string              `toml:"when"`
	Equals       string              `toml:"equals"`
	TimeFormat   string              `toml:"time_format"`
	Symbols      map[string]string   `toml:"symbols"`
	Sides        map[string]string   `toml:"sides"`
	Horizons     map[string]duration `toml:"horizons"`
	HorizonUnit  duration            `toml:"horizon_unit"`
	Horizon      duration            `toml:"horizon"`
	StrengthFull int64               `toml:"strength_full"`

	BodyMax      int      `toml:"body_max"`
	RateMax      int      `toml:"rate_max"` // in a minute
	Burst        int      `toml:"burst"`
	ReplayWindow duration `toml:"replay_window"`
	SilentAfter  duration `toml:"silent_after"`

	Mode     string              `toml:"mode"` // auto or approve
	Sizes    map[string]quantity `toml:"sizes"`
	EdgeBps  float64             `toml:"edge_bps"`
	AgeMax   duration            `toml:"age_max"`   // 0: [airlock]'s
	DriftBps float64             `toml:"drift_bps"` // likewise
}

// FieldsConfig is [sources.NAME.fields]: where a message says what.
type FieldsConfig struct {
	Symbol   string `toml:"symbol"`
	Side     string `toml:"side"`
	Price    string `toml:"price"`
	Time     string `toml:"time"`
	ID       string `toml:"id"`
	Strength string `toml:"strength"`
	Horizon  string `toml:"horizon"`
	Proof    string `toml:"proof"`
}

// AirlockConfig is [airlock]: what a signal from outside must pass.
type AirlockConfig struct {
	AgeMax          duration `toml:"age_max"`
	DriftBps        float64  `toml:"drift_bps"`
	AgreementBps    float64  `toml:"agreement_bps"`
	SpreadBps       float64  `toml:"spread_bps"`
	DepthTimes      int64    `toml:"depth_times"`
	SlippageBps     float64  `toml:"slippage_bps"`
	CostBps         float64  `toml:"cost_bps"`
	EdgeMinBps      float64  `toml:"edge_min_bps"`
	Statistics      bool     `toml:"statistics"`
	StatisticsEvery duration `toml:"statistics_every"`
	DayMarginBps    float64  `toml:"day_margin_bps"`
	VolumeTimes     int64    `toml:"volume_times"`
	TrendBps        float64  `toml:"trend_bps"`
	LossPercent     int64    `toml:"loss_percent"`
	Contradiction   bool     `toml:"contradiction"`
	ScoreMin        float64  `toml:"score_min"`
}

// ScoreConfig is [score]: how sources earn their weight.
type ScoreConfig struct {
	Prior   float64 `toml:"prior"`
	PriorN  float64 `toml:"prior_signals"`
	Spread  float64 `toml:"prior_spread_bps"`
	Z       float64 `toml:"z"`
	FullBps float64 `toml:"full_bps"`
	Memory  float64 `toml:"memory"`
	FeeBps  float64 `toml:"fee_bps"`
}

// Bounds of a source's configuration.
const (
	sourcesMost    = 16
	aheadMax       = core.MonoNs(500 * time.Millisecond) // senders' clocks, beside the error of ours
	horizonMost    = 24 * time.Hour
	replayKeep     = 1 << 14
	statisticsLate = 3 // refreshes that may fail before statistics are too old
)

// sourceNames are the sources in the order of their numbers.
func (c *Config) sourceNames() []string { return slices.Sorted(maps.Keys(c.Sources)) }

// withDefaults fills in what a source leaves out.
func (s SourceConfig) withDefaults() SourceConfig {
	def := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	def(&s.Auth, map[string]string{"webhook": "hmac", "websocket": "none"}[s.Kind])
	def(&s.SignatureHeader, "X-Signature")
	def(&s.TimestampHeader, "X-Timestamp")
	def(&s.TimestampUnit, "ms")
	def(&s.TimeFormat, "ms")
	def(&s.Mode, "auto")
	if s.Sides == nil {
		s.Sides = map[string]string{"buy": "buy", "sell": "sell"}
	}
	for _, d := range []struct {
		v *int
		d int
	}{{&s.BodyMax, 16 << 10}, {&s.RateMax, 60}, {&s.Burst, 10}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	for _, d := range []struct {
		v *duration
		d time.Duration
	}{{&s.Horizon, 5 * time.Minute}, {&s.ReplayWindow, 5 * time.Minute}} {
		if d.v.Duration == 0 {
			d.v.Duration = d.d
		}
	}
	if s.StrengthFull == 0 {
		s.StrengthFull = 1
	}
	return s
}

var sourceName = regexp.MustCompile(`^[a-z0-9_-]{1,24}$`)

// checkSources checks all that is about signals from outside.
func (c *Config) checkSources() error {
	errs := []error{between("sources, how many,", len(c.Sources), 0, sourcesMost), c.Airlock.check(), c.Score.check()}
	paths := map[string]string{}
	for _, name := range c.sourceNames() {
		s, at := c.Sources[name].withDefaults(), "sources."+name
		if !sourceName.MatchString(name) {
			errs = append(errs, want("sources", fmt.Sprintf("%q", name), "names of 1 to 24 of a-z, 0-9, _ and -"))
		}
		errs = append(errs, s.check(at, c))
		if _, ok := c.Signals[name]; ok {
			errs = append(errs, fmt.Errorf("%s has the name of a signal of ours, want another: they are told apart by name", at))
		}
		if where := s.Listen + s.Path; s.Kind == "webhook" && paths[where] != "" {
			errs = append(errs, fmt.Errorf("%s.path is that of sources.%s at the same address, want one of its own", at, paths[where]))
		} else if s.Kind == "webhook" {
			paths[where] = name
		}
	}
	if len(c.Sources) > 0 && !slices.Contains(c.Market.Streams, "trade") && !slices.Contains(c.Market.Streams, "aggTrade") {
		errs = append(errs, want("market.streams", c.Market.Streams, `"trade" or "aggTrade" among them: signals from outside are held against the last trade`))
	}
	return errors.Join(errs...)
}

func (s *SourceConfig) check(at string, c *Config) error {
	errs := []error{oneOf(at+".kind", s.Kind, "webhook", "websocket"), oneOf(at+".mode", s.Mode, "auto", "approve"), oneOf(at+".time_format", s.TimeFormat, alert.TimeFormats...)}
	switch s.Kind {
	case "webhook":
		errs = append(errs, s.checkWebhook(at))
	case "websocket":
		errs = append(errs, oneOf(at+".auth", s.Auth, "none", "body"), checkURL(at+".url", s.URL))
	}
	if needs := s.Auth != "none" || strings.Contains(s.Subscribe, secretHole); needs && s.SecretFile == "" && s.Credential == "" {
		errs = append(errs, fmt.Errorf("%s.secret_file is missing, want a file of mode 0600 with the secret alone in it, or a credential", at))
	}
	if s.Credential != "" && s.Credential != filepath.Base(s.Credential) {
		errs = append(errs, want(at+".credential", fmt.Sprintf("%q", s.Credential), "the plain name of a credential"))
	}
	errs = append(errs, s.checkFields(at), s.checkTables(at, c),
		between(at+".body_max", s.BodyMax, 64, 1<<20), between(at+".rate_max", s.RateMax, 1, 60_000), between(at+".burst", s.Burst, 1, 1000),
		span(at+".replay_window", s.ReplayWindow, time.Second, time.Hour), span(at+".silent_after", s.SilentAfter, 0, 30*24*time.Hour),
		span(at+".horizon", s.Horizon, time.Second, horizonMost), span(at+".horizon_unit", s.HorizonUnit, 0, time.Hour),
		span(at+".age_max", s.AgeMax, 0, time.Hour), ratioWithin(at+".edge_bps", s.EdgeBps, 0, 10_000), ratioWithin(at+".drift_bps", s.DriftBps, 0, 10_000),
		between(at+".strength_full", s.StrengthFull, 1, 1000))
	if age := s.ageMax(&c.Airlock); age > s.ReplayWindow.Duration {
		errs = append(errs, want(at+".replay_window", s.ReplayWindow.Duration, fmt.Sprintf("at least %v: a signal of that age is still believed", age)))
	}
	return errors.Join(errs...)
}

func (s *SourceConfig) checkWebhook(at string) error {
	errs := []error{oneOf(at+".auth", s.Auth, "hmac", "path", "body"), oneOf(at+".timestamp_unit", s.TimestampUnit, "s", "ms", "us", "ns")}
	host, _, err := net.SplitHostPort(s.Listen)
	switch {
	case err != nil:
		errs = append(errs, want(at+".listen", fmt.Sprintf("%q", s.Listen), `host:port, such as "127.0.0.1:8787"`))
	case loopbackHost(host):
	case !s.AllowRemote:
		errs = append(errs, want(at+".listen", fmt.Sprintf("%q", s.Listen), "a loopback address behind a proxy that ends TLS, or allow_remote = true beside it"))
	case s.Auth != "hmac":
		errs = append(errs, want(at+".auth", fmt.Sprintf("%q", s.Auth), `"hmac" on an address that others can reach: a token would travel in the clear; a proxy that ends TLS may lead to a loopback address`))
	}
	if u, err := url.Parse(s.Path); err != nil || !strings.HasPrefix(s.Path, "/") || strings.HasSuffix(s.Path, "/") || u.Path != s.Path || strings.ContainsAny(s.Path, "{}") {
		errs = append(errs, want(at+".path", fmt.Sprintf("%q", s.Path), `a plain path such as "/tradingview"`))
	}
	return errors.Join(errs...)
}

func (s *SourceConfig) checkFields(at string) error {
	var errs []error
	f := &s.Fields
	for _, x := range []struct {
		key, path string
		needed    bool
	}{{"symbol", f.Symbol, true}, {"side", f.Side, true}, {"price", f.Price, true}, {"time", f.Time, true}, {"id", f.ID, false}, {"strength", f.Strength, false},
		{"horizon", f.Horizon, false}, {"proof", f.Proof, s.Auth == "body"}} {
		key := at + ".fields." + x.key
		if x.path == "" {
			if x.needed {
				errs = append(errs, fmt.Errorf("%s is missing, want the dotted path of the field in a message", key))
			}
		} else if err := alert.CheckPath(x.path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	if s.When != "" {
		if err := alert.CheckPath(s.When); err != nil {
			errs = append(errs, fmt.Errorf("%s.when: %w", at, err))
		}
	}
	if (s.When == "") != (s.Equals == "") {
		errs = append(errs, fmt.Errorf("%s.when and equals are given together or not at all", at))
	}
	return errors.Join(errs...)
}

func (s *SourceConfig) checkTables(at string, c *Config) error {
	var errs []error
	for _, word := range slices.Sorted(maps.Keys(s.Sides)) {
		errs = append(errs, oneOf(at+".sides, "+word, s.Sides[word], "buy", "sell"))
	}
	traded := c.traded()
	for _, told := range slices.Sorted(maps.Keys(s.Symbols)) {
		if !slices.Contains(c.Market.Symbols, s.Symbols[told]) {
			errs = append(errs, want(at+".symbols, "+told, fmt.Sprintf("%q", s.Symbols[told]), "only symbols that market.symbols has too"))
		}
	}
	if len(s.Sizes) == 0 {
		errs = append(errs, fmt.Errorf("%s.sizes is missing, want the quantity that its signals intend, by symbol: money has no default", at))
	}
	for _, sym := range slices.Sorted(maps.Keys(s.Sizes)) {
		if !slices.Contains(traded, sym) || s.Sizes[sym].e8 <= 0 {
			errs = append(errs, want(at+".sizes, "+sym, core.Qty(s.Sizes[sym].e8), "more than 0 of a symbol that a strategy trades"))
		}
	}
	for _, word := range slices.Sorted(maps.Keys(s.Horizons)) {
		errs = append(errs, span(at+".horizons, "+word, s.Horizons[word], time.Second, horizonMost))
	}
	return errors.Join(errs...)
}

func ratioWithin(key string, got, lo, hi float64) error {
	if math.IsNaN(got) || got < lo || got > hi {
		return want(key, got, fmt.Sprintf("%v to %v", lo, hi))
	}
	return nil
}

func (a *AirlockConfig) check() error {
	errs := []error{span("airlock.age_max", a.AgeMax, time.Millisecond, time.Hour), span("airlock.statistics_every", a.StatisticsEvery, time.Second, time.Hour),
		between("airlock.depth_times", a.DepthTimes, 1, 1000), between("airlock.volume_times", a.VolumeTimes, 0, 1<<40), between("airlock.loss_percent", a.LossPercent, 0, 100),
		ratioWithin("airlock.score_min", a.ScoreMin, 0, 1)}
	for key, v := range map[string]float64{"drift_bps": a.DriftBps, "agreement_bps": a.AgreementBps, "spread_bps": a.SpreadBps, "slippage_bps": a.SlippageBps, "cost_bps": a.CostBps,
		"edge_min_bps": a.EdgeMinBps, "day_margin_bps": a.DayMarginBps, "trend_bps": a.TrendBps} {
		errs = append(errs, ratioWithin("airlock."+key, v, 0, 10_000))
	}
	return errors.Join(errs...)
}

func (s *ScoreConfig) check() error {
	return errors.Join(ratioWithin("score.prior", s.Prior, 0, 1), ratioWithin("score.prior_signals", s.PriorN, 1, 1000), ratioWithin("score.prior_spread_bps", s.Spread, 0.1, 10_000),
		ratioWithin("score.z", s.Z, 0, 10), ratioWithin("score.full_bps", s.FullBps, 0.01, 10_000), ratioWithin("score.memory", s.Memory, 10, 1e6), ratioWithin("score.fee_bps", s.FeeBps, 0, 1000))
}

func (s *ScoreConfig) scoring() signal.Scoring {
	return signal.Scoring{Prior: s.Prior, PriorN: s.PriorN, Spread: s.Spread, Z: s.Z, Full: s.FullBps, Memory: s.Memory, RuleFees: s.FeeBps}
}

func (s *SourceConfig) ageMax(a *AirlockConfig) time.Duration {
	if s.AgeMax.Duration > 0 {
		return s.AgeMax.Duration
	}
	return a.AgeMax.Duration
}

func bpsOf(v float64) airlock.Ratio { return airlock.Ratio(math.Round(v * float64(airlock.Bp))) }

// bounds is what the shard judges a source's signals by.
func (a *AirlockConfig) bounds(s *SourceConfig) airlock.Bounds {
	drift := a.DriftBps
	if s.DriftBps > 0 {
		drift = s.DriftBps
	}
	b := airlock.Bounds{AgeMax: core.MonoNs(s.ageMax(a)), AheadMax: aheadMax, DriftMax: bpsOf(drift), AgreementMax: bpsOf(a.AgreementBps), SpreadMax: bpsOf(a.SpreadBps),
		DepthTimes: a.DepthTimes, SlippageMax: bpsOf(a.SlippageBps), CostMax: bpsOf(a.CostBps), EdgeMin: bpsOf(a.EdgeMinBps), DayMargin: bpsOf(a.DayMarginBps),
		VolumeTimes: a.VolumeTimes, TrendMax: bpsOf(a.TrendBps), LossPart: a.LossPercent, Contradict: a.Contradiction, ScoreMin: max(airlock.Ratio(a.ScoreMin*core.Scale), 1),
		Approve: s.Mode == "approve", Edge: bpsOf(s.EdgeBps), EdgeHorizon: core.MonoNs(s.Horizon.Duration)}
	if a.Statistics {
		b.StatisticsMax = statisticsLate * core.MonoNs(a.StatisticsEvery.Duration)
	}
	return b
}

// airlock is the shard's share of the configuration of signals from outside: whoever runs
// a shard by it has it from here.
func (c *Config) airlock(t *core.Instruments) (cfg engine.AirlockConfig) {
	for _, name := range c.sourceNames() {
		s := c.Sources[name].withDefaults()
		src := engine.AirlockSource{Name: name, Bounds: c.Airlock.bounds(&s), Sizes: make([]core.Qty, len(t.List))}
		for sym, q := range s.Sizes {
			if in, ok := t.Lookup(sym); ok {
				src.Sizes[in.ID] = core.Qty(q.e8)
			}
		}
		cfg.Sources = append(cfg.Sources, src)
	}
	return cfg
}

// scored are the names of all that is scored, in the order of engine.ScoreConfig.Begin:
// sources, then own signals.
func (c *Config) scored() []string { return append(c.sourceNames(), c.signalNames()...) }

// scoring is the shard's share of the configuration of scores, with nothing known yet.
func (c *Config) scoring(t *core.Instruments, rules []*signal.Rules) engine.ScoreConfig {
	names := c.scored()
	cfg := engine.ScoreConfig{How: c.Score.scoring(), Begin: make([]signal.Score, len(names))}
	if rules == nil {
		return cfg
	}
	cfg.Rules = make([][]uint16, len(t.List))
	for i, r := range rules {
		if r == nil {
			continue
		}
		for _, u := range r.List() {
			at := slices.Index(names[len(c.Sources):], u.Name) + len(c.Sources)
			cfg.Rules[i] = append(cfg.Rules[i], uint16(at))
		}
	}
	return cfg
}
