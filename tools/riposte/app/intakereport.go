package app

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/feed/alert"
)

// sourceReport is one source of signals, from outside or an own rule, in a report.
type sourceReport struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"` // webhook, websocket, rule
	State    string            `json:"state"`
	Messages uint64            `json:"messages,omitempty"`
	Ignored  uint64            `json:"ignored,omitempty"`
	Heard    uint64            `json:"heard"` // signals, refused ones too
	Accepted uint64            `json:"accepted"`
	Queued   []queuedReport    `json:"queued,omitempty"`
	Refused  map[string]uint64 `json:"refused,omitempty"` // by gate; of the door's all, also those the shard was not told of
	Weight   float64           `json:"weight"`
	Marks    []markReport      `json:"marks,omitempty"` // by horizon
	Waiting  int               `json:"marks_waiting"`
	NotKept  uint64            `json:"not_marked,omitempty"`
	Last     string            `json:"last_accepted,omitempty"`
	LastBad  string            `json:"last_refused,omitempty"`
}

// queuedReport is a signal that waits for a person.
type queuedReport struct {
	ID   uint64 `json:"id"`
	Text string `json:"text"`
}

// markReport is a source's edges at one horizon, in bps after half the spread and the fee.
type markReport struct {
	Horizon string  `json:"horizon"`
	N       float64 `json:"n"`
	HitRate float64 `json:"hit_rate"`
	Mean    float64 `json:"mean_bps"`
	Error   float64 `json:"error_bps"`
}

// scoresEvery is how often scores are written to their file.
const scoresEvery = 10 * time.Second

// reportOutside takes what the shard said of signals and tells it. The printing
// goroutine's.
func (d *desk) reportOutside(r *report) {
	o := d.intake
	if o == nil {
		return
	}
	o.take()
	stats := d.shard.Scores()
	for i, name := range o.names {
		s := sourceReport{Name: name, Kind: "rule", State: "ok", Weight: 1, Last: o.last[i].accepted, LastBad: o.last[i].refused, Refused: map[string]uint64{}}
		if i < len(o.sources) {
			o.door(&s, i, r)
		}
		if i < len(stats.List) {
			x := &stats.List[i]
			s.Heard, s.Accepted, s.Weight, s.Waiting, s.NotKept = x.Heard, x.Outcomes[airlock.Accepted]+x.Outcomes[airlock.Own], x.Weight, x.Waiting, x.NotKept
			for g := airlock.Symbol; g < airlock.Gates; g++ {
				if n := x.Gates[g]; n > 0 {
					s.Refused[g.String()] = n
				}
			}
			for h := range x.Score.By {
				if t := &x.Score.By[h]; t.N > 0 {
					s.Marks = append(s.Marks, markReport{signal.HorizonName[h], t.N, t.HitRate(), t.Mean(), t.Error()})
				}
			}
		}
		r.Sources = append(r.Sources, s)
	}
	o.mu.Lock()
	trouble := o.trouble
	o.mu.Unlock()
	if trouble != "" {
		r.Problems = append(r.Problems, trouble)
	}
	if c := d.shard.Stats(); c.VerdictsLost > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d verdicts on signals are not shown here: the journal has them", c.VerdictsLost))
	}
	if now := time.Now(); now.Sub(o.savedAt) >= scoresEvery {
		o.savedAt = now
		if err := o.save(); err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
	}
}

// door adds what a source's door and connection say.
func (o *intake) door(s *sourceReport, i int, r *report) {
	cfg := o.d.cfg.Sources[s.Name].withDefaults()
	st := o.sources[i].Status()
	s.Kind, s.Messages, s.Ignored = cfg.Kind, st.Messages, st.Ignored
	for g, n := range st.Refused {
		if n > 0 {
			s.Refused[airlock.Gate(g).String()] = n
		}
	}
	add := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		s.State = text
		r.Problems = append(r.Problems, "source "+s.Name+": "+text)
	}
	now := o.d.clock.Mono()
	if s.State = "listening"; o.sockets != nil && o.sockets[i] != nil {
		if k := o.sockets[i].Status(); k.Up {
			s.State = "connected"
		} else {
			add("not connected%s", because(k.LastError))
		}
	}
	if limit := core.MonoNs(cfg.SilentAfter.Duration); limit > 0 && now-max(st.LetAt, o.startedAt) > limit {
		add("no signal for %v", time.Duration(now-max(st.LetAt, o.startedAt)).Round(time.Second))
	}
	if bad := refusedAtDoor(&st); bad >= 10 && bad > st.Let {
		add("%d of its messages were refused at the door, last: %s", bad, st.LastError)
	}
	if st.Lost > 0 {
		add("%d of its signals found the way to the engine full", st.Lost)
	}
	if st.LastError != "" {
		s.LastBad = st.LastError
		if o.last[i].refused != "" {
			s.LastBad = o.last[i].refused
		}
	}
	o.mu.Lock()
	venue := o.d.vclock.Now()
	for _, id := range slices.Sorted(maps.Keys(o.queued)) {
		if w := o.queued[id]; w.till < venue {
			delete(o.queued, id)
		} else if w.source == s.Name {
			s.Queued = append(s.Queued, queuedReport{id, w.text})
		}
	}
	o.mu.Unlock()
}

func refusedAtDoor(st *alert.Status) (n uint64) {
	for _, x := range st.Refused {
		n += x
	}
	return n
}

// take reads the shard's verdicts.
func (o *intake) take() {
	for list := o.verdicts.Pending(); len(list) > 0; list = o.verdicts.Pending() {
		for i := range list {
			o.verdict(&list[i])
		}
		o.verdicts.Release(len(list))
	}
}

func (o *intake) verdict(v *airlock.Verdict) {
	name := o.nameOf(v)
	last := &o.last[slices.Index(o.names, name)]
	text := o.describe(v)
	switch v.Outcome {
	case airlock.Accepted, airlock.Own:
		last.accepted = text
	case airlock.Refused:
		last.refused = text
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if delete(o.queued, v.Number); v.Outcome == airlock.Queued {
		o.queued[v.Number] = waiting{source: name, text: text, till: v.Alert.Issued + core.WallNs(v.Readings[airlock.Age].Bound)}
	}
}

// describe is a verdict on one line. What it quotes of the message is printable.
func (o *intake) describe(v *airlock.Verdict) string {
	a := &v.Alert
	if a.Failed != airlock.None {
		return fmt.Sprintf("signal %d refused by %v: %s", v.Number, v.Failed, a.Why.String())
	}
	symbol := fmt.Sprintf("%.40q", a.Symbol.String())
	if a.Instrument != core.NoInstrument {
		symbol = o.d.table.Get(a.Instrument).Symbol
	}
	text := fmt.Sprintf("signal %d %s %s", v.Number, strings.ToLower(a.Side.String()), symbol)
	if v.Outcome == airlock.Own {
		return text
	}
	text += fmt.Sprintf(" at %v, strength %.2f", a.Price, float64(a.Strength)/core.Scale)
	switch v.Outcome {
	case airlock.Refused:
		if v.Failed == airlock.Halt {
			return text + ", refused: halt in force: " + risk.HaltCause(v.Readings[airlock.Halt].Value).String()
		}
		return text + ", refused: " + v.Failed.Describe(v.Readings[v.Failed])
	case airlock.Queued:
		return text + ", waits for `riposte signals approve " + fmt.Sprint(v.Number) + "`"
	}
	return text + fmt.Sprintf(", accepted at %.2f of it", float64(v.Weight)/core.Scale)
}

// sourceLines writes what there is of sources on the screen.
func (r *report) sourceLines(w io.Writer) {
	if len(r.Sources) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\nsource\tstate\theard\taccepted\trefused\twaiting\tweight\tedge at\tbps\t±\thits\tn\t")
	for i := range r.Sources {
		s := &r.Sources[i]
		refused := uint64(0)
		for _, n := range s.Refused {
			refused += n
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%.2f\t", s.Name, short40(s.State), s.Heard, s.Accepted, refused, len(s.Queued), s.Weight)
		m := markReport{Horizon: "-"}
		for _, x := range s.Marks {
			if x.N >= m.N {
				m = x // the longest of those that most signals have
			}
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.0f%%\t%.0f\t\n", m.Horizon, m.Mean, m.Error, 100*m.HitRate, m.N)
	}
	t.Flush()
	for i := range r.Sources {
		s := &r.Sources[i]
		for _, q := range s.Queued {
			fmt.Fprintf(w, "  waits: %s: %s\n", s.Name, q.Text)
		}
		if s.LastBad != "" {
			fmt.Fprintf(w, "  last refused: %s: %s\n", s.Name, s.LastBad)
		}
		if s.Last != "" && s.Kind != "rule" {
			fmt.Fprintf(w, "  last accepted: %s: %s\n", s.Name, s.Last)
		}
	}
}

func short40(s string) string {
	if len(s) > 40 {
		return s[:37] + "..."
	}
	return s
}

// sourceMetrics writes the sources' numbers for Prometheus.
func (r *report) sourceMetrics(w io.Writer) {
	if len(r.Sources) == 0 {
		return
	}
	for _, m := range []struct {
		name, kind string
		value      func(*sourceReport) float64
	}{
		{"signals_heard_total", "counter", func(s *sourceReport) float64 { return float64(s.Heard) }},
		{"signals_accepted_total", "counter", func(s *sourceReport) float64 { return float64(s.Accepted) }},
		{"signal_source_weight", "gauge", func(s *sourceReport) float64 { return s.Weight }},
		{"signals_queued", "gauge", func(s *sourceReport) float64 { return float64(len(s.Queued)) }},
	} {
		fmt.Fprintf(w, "# TYPE riposte_%s %s\n", m.name, m.kind)
		for i := range r.Sources {
			fmt.Fprintf(w, "riposte_%s{source=%q} %g\n", m.name, r.Sources[i].Name, m.value(&r.Sources[i]))
		}
	}
	fmt.Fprintln(w, "# TYPE riposte_signals_refused_total counter")
	for i := range r.Sources {
		s := &r.Sources[i]
		for _, gate := range slices.Sorted(maps.Keys(s.Refused)) {
			fmt.Fprintf(w, "riposte_signals_refused_total{source=%q,gate=%q} %d\n", s.Name, gate, s.Refused[gate])
		}
	}
	fmt.Fprintln(w, "# TYPE riposte_signal_edge_bps gauge")
	for i := range r.Sources {
		for _, m := range r.Sources[i].Marks {
			fmt.Fprintf(w, "riposte_signal_edge_bps{source=%q,horizon=%q} %g\n", r.Sources[i].Name, m.Horizon, m.Mean)
		}
	}
}
