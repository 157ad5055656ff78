package app

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the state of a run as of one instant: one JSON object a second with
// --json, and the last one with Final set. Field names are stable.
type report struct {
	Final       bool    `json:"final,omitempty"`
	Time        string  `json:"time"`
	Seconds     float64 `json:"seconds"`
	Environment string  `json:"environment"`
	Strategy    string  `json:"strategy"`
	State       string  `json:"state"` // active, or what trading is halted by
	Admin       string  `json:"admin,omitempty"`

	Frames    uint64  `json:"frames"`
	Bytes     uint64  `json:"bytes"`
	Events    uint64  `json:"events"`
	Books     int     `json:"books"`
	BooksLive int     `json:"books_live"`
	Gaps      uint64  `json:"gaps"`
	Snapshots uint64  `json:"snapshots"`
	Demotions uint64  `json:"demotions"`
	Connects  uint64  `json:"connects"`
	FirstAck  float64 `json:"first_ack_seconds,omitempty"` // since the process began

	Orders   uint64            `json:"orders"`
	Acks     uint64            `json:"acks"`
	Fills    uint64            `json:"fills"`
	Cancels  uint64            `json:"cancels"`
	Rejects  uint64            `json:"rejects"`
	Refusals map[string]uint64 `json:"refusals"` // ours, by reason
	// Explained has, for each rule that refused, its newest refusal: rule, value, nearest
	// legal value.
	Explained []string `json:"refused_last,omitempty"`
	// Signals are those of the configuration's rules that have fired, by symbol and name.
	Signals []signalReport `json:"signals,omitempty"`
	// Sources are those of signals, from outside and own rules, with what they are worth.
	Sources []sourceReport `json:"sources,omitempty"`
	Unsent  uint64         `json:"unsent"`
	Doubts  uint64         `json:"doubts"`  // orders that ever became unknown
	Unknown int            `json:"unknown"` // and are so now
	Open    int            `json:"open"`    // own live orders, by our table

	Position map[string]string `json:"position"` // by symbol, base asset
	PnL      map[string]string `json:"pnl"`      // by quote asset

	// By stage: of orders that a market event caused, whose stages add up to the
	// total; of other orders; of market events, with or without an order.
	Latency       map[string]quantiles `json:"latency"`
	LatencyOther  map[string]quantiles `json:"latency_other"`
	LatencyEvents map[string]quantiles `json:"latency_events"`
	SamplesLost   uint64               `json:"samples_lost"`     // times that found their ring full
	Traces        []traceDump          `json:"traces,omitempty"` // of slow orders, by the flight recorder

	Routes []routeLine  `json:"routes"` // ways to the venue
	Lines  []lineReport `json:"lines"`  // ways the market comes
	// Stretches of a symbol's depth that a line did not bring because it was cut: the
	// newest, how many in all, and how many of those no other line covered.
	LineGaps      []lineGap `json:"line_gaps,omitempty"`
	LineGapsTotal uint64    `json:"line_gaps_total"`
	LineGapsOpen  uint64    `json:"line_gaps_open"`
	Missed        uint64    `json:"missed"` // stretches of update or trade ids that no line brought

	Audits          uint64   `json:"audits"` // comparisons with the venue's account
	Mismatches      int      `json:"mismatches"`
	Differences     []string `json:"differences,omitempty"`
	BooksCompared   uint64   `json:"books_compared"`
	BookDifferences uint64   `json:"book_differences"`
	BooksUnseen     uint64   `json:"books_not_compared"` // applied while the auditor was busy, or whose truth the venue no longer had
	OpenAtVenue     int      `json:"open_at_venue"`      // own orders, by the venue; final only

	Recovery *recoveryReport `json:"recovery"`

	// Strategies are what each has at each symbol, and what it says of itself.
	Strategies []strategyReport `json:"strategies,omitempty"`
	// Params are those of strategies that differ from the configuration, by strategy and
	// symbol.
	Params map[string]map[string]string `json:"params,omitempty"`

	Guarded bool `json:"guarded"` // a guard process watches this engine

	Trades *tradesReport `json:"trades,omitempty"` // their continuity, and the bars made of them

	Store  *storeReport  `json:"store,omitempty"`
	Record *recordReport `json:"record,omitempty"`
	Inputs *recordReport `json:"inputs,omitempty"` // the input log

	Memory memoryUse `json:"memory"`

	Problems   []string `json:"problems,omitempty"`
	KeyChange  string   `json:"key_change,omitempty"`  // what came of the last change of key
	KeyChanges uint64   `json:"key_changes,omitempty"` // that succeeded
	Warnings   []string `json:"warnings,omitempty"`    // about what the configuration asks of the machine
	Clean      bool     `json:"clean"`                 // final only: stopped, cancelled and reconciled

	at      time.Time
	markets []marketLine
}

// marketLine is one instrument's row on the status screen.
type marketLine struct {
	symbol, state, bid, ask, spread, age, position string
	open                                           int
	fills                                          uint64
	pnl                                            string
}

func (r *report) json(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// line is the report on one line, for logs and pipes.
func (r *report) line(w io.Writer) {
	fmt.Fprintf(w, "%s %s books %d/%d orders %d acks %d fills %d cancels %d rejects %d unknown %d gaps %d mismatches %d pnl %s",
		time.Duration(r.Seconds*float64(time.Second)).Round(time.Second), r.State, r.BooksLive, r.Books,
		r.Orders, r.Acks, r.Fills, r.Cancels, r.Rejects, r.Unknown, r.Gaps, r.Mismatches, joined(r.PnL))
	if q, ok := r.Latency["total"]; ok {
		fmt.Fprintf(w, " frame-to-order p50 %s p99 %s", short(q.P50), short(q.P99))
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, " | %s", p)
	}
	fmt.Fprintln(w)
}

// screen is the report as a page of a terminal. home moves the cursor up first.
func (r *report) screen(w io.Writer, home bool) {
	var b strings.Builder
	if home {
		b.WriteString("\x1b[H\x1b[2J")
	}
	name := r.Strategy
	if name == "" {
		name = "watching"
	}
	fmt.Fprintf(&b, "riposte  %s  %s  %s  up %s\n\n", r.Environment, name, strings.ToUpper(r.State),
		time.Duration(r.Seconds*float64(time.Second)).Round(time.Second))
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "symbol\tbook\tbid\task\tspread\tage\tposition\topen\tfills\tpnl\t")
	for _, m := range r.markets {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t\n", m.symbol, m.state, m.bid, m.ask, m.spread, m.age, m.position, m.open, m.fills, m.pnl)
	}
	t.Flush()
	fmt.Fprintf(&b, "\norders %d   acks %d   fills %d   cancels %d   rejects %d   unknown %d   frames %d   gaps %d\n",
		r.Orders, r.Acks, r.Fills, r.Cancels, r.Rejects, r.Unknown, r.Frames, r.Gaps)
	fmt.Fprintf(&b, "pnl %s   account audits %d, mismatches %d   books compared %d, different %d\n",
		joined(r.PnL), r.Audits, r.Mismatches, r.BooksCompared, r.BookDifferences)
	r.Recovery.screen(&b)
	if len(r.Refusals) > 0 {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(r.Refusals)) {
			parts = append(parts, fmt.Sprintf("%s %d", k, r.Refusals[k]))
		}
		fmt.Fprintf(&b, "refused by the gate: %s\n", strings.Join(parts, ", "))
		for _, text := range r.Explained {
			fmt.Fprintf(&b, "  last: %s\n", text)
		}
	}
	for _, g := range r.Signals {
		fmt.Fprintf(&b, "signal %s on %s fired %d   last: %s\n", g.Name, g.Symbol, g.Fired, g.Last)
	}
	r.strategyTable(&b)
	for _, who := range slices.Sorted(maps.Keys(r.Params)) {
		fmt.Fprintf(&b, "parameters changed of %s: %s\n", who, pairs(r.Params[who]))
	}
	r.sourceLines(&b)
	for _, l := range r.Routes {
		mark := " "
		if l.Chosen {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s%s %s: %d orders (%.0f %%), %d acks, p50 %s, p95 %s   ", mark, l.Route, l.State, l.Orders, 100*l.Share, l.Acks, short(l.P50), short(l.P95))
	}
	for i := range r.Lines {
		fmt.Fprintf(&b, "\n %s", r.Lines[i].text())
	}
	b.WriteString("\n\n")
	r.latencyTable(&b)
	if len(r.Problems) == 0 {
		b.WriteString("\nnothing is wrong\n")
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\n! %s", p)
	}
	b.WriteByte('\n')
	fmt.Fprint(w, b.String())
}

func (r *report) latencyTable(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	rows := func(title string, names []string, m map[string]quantiles) {
		if len(m) == 0 {
			return
		}
		fmt.Fprintf(t, "%s\tp50\tp99\tp99.9\tp99.99\tmax\tcount\t\n", title)
		for _, name := range names {
			if q, ok := m[name]; ok {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t\n", name, short(q.P50), short(q.P99), short(q.P999), short(q.P9999), short(q.Max), q.Count)
			}
		}
	}
	rows("market event", eventName[:], r.LatencyEvents)
	rows("frame to order", stageName[:], r.Latency)
	rows("other order", stageName[:], r.LatencyOther)
	t.Flush()
	for i := range r.Traces {
		fmt.Fprintln(w, r.Traces[i].String())
	}
}

// summary is what a person reads after the end.
func (r *report) summary(w io.Writer) {
	fmt.Fprintln(w)
	r.screen(w, false)
	verdict := "stopped cleanly: own orders cancelled and confirmed, every balance equal to the venue's"
	if !r.Clean {
		verdict = "DID NOT STOP CLEANLY"
	}
	fmt.Fprintf(w, "%s; %d own orders left on the venue\n", verdict, r.OpenAtVenue)
	for _, d := range r.Differences {
		fmt.Fprintf(w, "  differs: %s\n", d)
	}
}

func pairs(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+" "+m[k])
	}
	return strings.Join(parts, ", ")
}

func joined(m map[string]string) string {
	if len(m) == 0 {
		return "0"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, m[k]+" "+k)
	}
	return strings.Join(parts, ", ")
}
