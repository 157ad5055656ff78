// Package page writes what a backtest came to as one HTML file that needs nothing else:
// no network, no library, no second file. The page draws on canvases from numbers that lie
// in it, works in light and dark, and names all that it takes to get the same result again.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"riposte/core"
	"riposte/tools/backtest"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

//go:embed page.js
var script string

var parsed = template.Must(template.New("page").Parse(pageText))

// Row is a name with a value and, behind it, what there is to say.
type Row struct {
	Name, Value, Note string
	Class             string // good, bad or nothing
	Share             int    // of the largest, in percent
	Total             bool
}

// About is what a report says of the run beside its result.
type About struct {
	Title    string
	Start    core.WallNs // of the tape
	From     core.MonoNs
	Table    *core.Instruments
	Currency string
	Repeat   []Row  // tape, configuration, versions, options
	Config   string // the configuration's text
	Warnings []string
	Notes    []string
}

// fillsDrawn and fillsListed bound what a page holds of fills.
const (
	fillsDrawn  = 20_000
	fillsListed = 25
)

type pageData struct {
	Title, Subtitle, Config string
	Style                   template.CSS
	Script                  template.JS
	Tiles, Parts, Orders    []Row
	Refused, Codes, Latency []Row
	Repeat                  []Row
	Warnings, Notes         []string
	Horizons                []string
	Marks, Scores           []markRow
	Strategies              []Row
	Fills                   []fillRow
	FillsNote               string
	Data                    drawn
}

type markRow struct {
	Name  string
	Cells []string
}

type fillRow struct {
	At, Symbol, Side, As, Qty, Price, Edge, Fee string
	Marks                                       []string
}

// drawn is what the script draws. Times are in ms since Start.
type drawn struct {
	Start    float64      `json:"start"`
	Currency string       `json:"currency"`
	T        []float64    `json:"t"`
	Equity   []float64    `json:"equity"`
	Drawdown []float64    `json:"drawdown"`
	Symbols  []symbolData `json:"symbols"`
	Horizons []string     `json:"horizons"`
	Marks    []markData   `json:"marks"`
	Parts    []partData   `json:"parts"`
	Latency  []stepData   `json:"latency"`
}

type symbolData struct {
	Name     string       `json:"name"`
	Base     string       `json:"base"`
	Quote    string       `json:"quote"`
	Mid      []*float64   `json:"mid"`
	Position []float64    `json:"position"`
	Fills    [][4]float64 `json:"fills"` // ms, price, +1 bought or -1 sold, 1 as maker
}

type markData struct {
	Name  string    `json:"name"`
	N     []int     `json:"n"`
	Mean  []float64 `json:"mean"`
	Error []float64 `json:"error"`
}

type partData struct {
	Name  string  `json:"name"`
	V     float64 `json:"v"`
	Total bool    `json:"total"`
}

type stepData struct {
	N    uint64 `json:"n"`
	Upto string `json:"upto"`
}

// Write writes the page.
func Write(w io.Writer, r *backtest.Result, a *About) error {
	p := &pageData{Title: a.Title, Style: template.CSS(style), Script: template.JS(script), Config: a.Config, Repeat: a.Repeat, Warnings: a.Warnings, Notes: a.Notes} //nolint:gosec // our own files
	begin := time.Unix(0, int64(a.Start)+int64(a.From)).UTC()
	p.Subtitle = fmt.Sprintf("%s UTC and %v from there; %s events; all amounts in %s unless said", begin.Format("2006-01-02 15:04:05"),
		time.Duration(r.Span*1e9).Round(time.Second), grouped(r.Events), a.Currency)
	for _, h := range backtest.Horizons {
		p.Horizons = append(p.Horizons, brief(h))
	}
	p.tiles(r, a)
	p.money(r)
	p.marks(r)
	p.orders(r)
	p.fills(r, a)
	p.draw(r, a)
	if err := parsed.Execute(w, p); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}

// money is a figure with as many digits as it takes to see it.
func money(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case a == 0:
		return "0"
	case a < 1e-6:
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func signed(v float64) string {
	if v > 0 {
		return "+" + money(v)
	}
	return strings.Replace(money(v), "-", "\u2212", 1)
}

// grouped is a count with its thousands apart.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func class(v float64) string {
	switch {
	case v > 0:
		return "good"
	case v < 0:
		return "bad"
	}
	return ""
}

func (p *pageData) tiles(r *backtest.Result, a *About) {
	perFill := "no fills"
	if r.Orders.Fills > 0 {
		perFill = signed(r.PnL/float64(r.Orders.Fills)) + " a fill"
	}
	p.Tiles = []Row{
		{Name: "profit", Value: signed(r.PnL), Note: perFill, Class: class(r.PnL)},
		{Name: "of what was traded", Value: signed(r.Bps) + " bps", Note: money(r.Traded) + " " + a.Currency, Class: class(r.Bps)},
		{Name: "deepest below peak", Value: money(r.Drawdown), Note: "longest " + time.Duration(r.Longest*1e9).Round(time.Second).String()},
		{Name: "Sharpe, by minutes", Value: money(r.Sharpe), Note: "a day, no interest"},
		{Name: "fills", Value: grouped(r.Orders.Fills), Note: fmt.Sprintf("%s as maker", share(r.Orders.Maker, r.Orders.Fills))},
		{Name: "orders", Value: grouped(r.Orders.Placed), Note: share(r.Orders.Filled, r.Orders.Placed) + " filled"},
		{Name: "with a position", Value: fmt.Sprintf("%.0f %%", 100*r.Invested), Note: "of the time"},
	}
	if r.Halted != "" {
		p.Warnings = append(p.Warnings, "At the end trading was halted: "+r.Halted+".")
	}
	for _, s := range r.Symbols {
		if s.Gaps > 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("The book of %s had %d gaps: nothing was traded until the next snapshot.", s.Symbol, s.Gaps))
		}
	}
}

func share(n, of uint64) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
}

func (p *pageData) money(r *backtest.Result) {
	p.Parts = []Row{
		{Name: "spread", Value: signed(r.Spread), Note: "what fills were better than the mid, which a trade that empties a level has moved already"},
		{Name: "inventory", Value: signed(r.Holding), Note: "what the mid then did to what was held"},
		{Name: "fees", Value: signed(-r.Fees), Note: "at the price of the moment"},
		{Name: "profit", Value: signed(r.PnL), Total: true},
	}
	for i := range r.Parts {
		if s := &r.Parts[i]; len(r.Parts) > 1 {
			p.Strategies = append(p.Strategies, Row{Name: s.Name, Value: signed(s.PnL), Note: fmt.Sprintf("%s fills, %s traded, %s of fees", grouped(s.Fills), money(s.Traded), money(s.Fees))})
		}
	}
	p.Data.Parts = []partData{{Name: "spread", V: r.Spread}, {Name: "inventory", V: r.Holding}, {Name: "fees", V: -r.Fees}, {Name: "profit", V: r.PnL, Total: true}}
}

func cells(s *backtest.MarkStats) (out []string) {
	for h := range backtest.Horizons {
		text := "\u2013"
		if s.N[h] > 0 {
			text = fmt.Sprintf("%+.2f \u00b1 %.2f", s.Mean[h], s.Error(h))
		}
		out = append(out, strings.Replace(text, "-", "\u2212", 1))
	}
	return out
}

func (p *pageData) marks(r *backtest.Result) {
	for _, s := range []struct {
		name string
		m    *backtest.MarkStats
	}{{"as maker", &r.Maker}, {"as taker", &r.Taker}} {
		d := markData{Name: s.name}
		for h := range backtest.Horizons {
			d.N, d.Mean, d.Error = append(d.N, s.m.N[h]), append(d.Mean, s.m.Mean[h]), append(d.Error, s.m.Error(h))
		}
		if s.m.N[0] > 0 {
			p.Marks = append(p.Marks, markRow{fmt.Sprintf("%s (%d)", s.name, s.m.N[0]), cells(s.m)})
			p.Data.Marks = append(p.Data.Marks, d)
		}
	}
	for i := range r.Signals {
		s := &r.Signals[i]
		p.Scores = append(p.Scores, markRow{s.Symbol + " " + s.Rule, append([]string{strconv.Itoa(s.Marks.N[0])}, cells(&s.Marks)...)})
	}
}

// codeTexts are the venue's words for the codes that a backtest rejects with.
var codeTexts = map[int32]string{-1013: "filter failure", -1015: "too many new orders", -1021: "outside of its recvWindow",
	-2010: "new order rejected: would take, would trigger, or not enough funds", -2011: "cancel rejected: no such working order", -2038: "amend rejected"}

func (p *pageData) orders(r *backtest.Result) {
	o := &r.Orders
	add := func(name string, n, of uint64, note string) {
		if n > 0 || of > 0 {
			if of > 0 {
				note = strings.TrimSpace(share(n, of) + " " + note)
			}
			p.Orders = append(p.Orders, Row{Name: name, Value: grouped(n), Note: note})
		}
	}
	add("placed", o.Placed, 0, "let through by the gate")
	add("filled", o.Filled, o.Placed, "of them")
	add("cancelled", o.Canceled, o.Placed, "")
	add("expired", o.Expired, o.Placed, "")
	add("rejected", o.Rejected, o.Placed, "by the venue")
	add("not sent", o.NotSent, 0, "replaces whose first half failed")
	add("cancels", o.Cancels, 0, "")
	add("came too late", o.CancelBad, o.Cancels+o.Replaces+o.Amends, "of cancels, amends and replaces")
	add("amends", o.Amends, 0, "")
	add("replaces", o.Replaces, 0, "")
	var names []string
	most := uint64(0)
	for name, n := range r.Refused {
		names = append(names, name)
		most = max(most, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if r.Refused[a] != r.Refused[b] {
			return int(r.Refused[b]) - int(r.Refused[a])
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		p.Refused = append(p.Refused, Row{Name: name, Value: grouped(r.Refused[name]), Share: int(100 * r.Refused[name] / most)})
	}
	var codes []int32
	for c := range o.Codes {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	for _, c := range codes {
		p.Codes = append(p.Codes, Row{Name: strconv.Itoa(int(c)), Value: grouped(o.Codes[c]), Note: codeTexts[c]})
	}
	for _, x := range []struct {
		name string
		p    backtest.Percentiles
	}{{"order to its answer", r.Ack}, {"cancel to its end", r.Cancel}} {
		if x.p.N > 0 {
			p.Latency = append(p.Latency, Row{Name: x.name + ", p50 / p99 / max", Value: fmt.Sprintf("%.3g / %.3g / %.3g ms", x.p.P50, x.p.P99, x.p.Max)})
		}
	}
	h := r.AckTimes
	lo, hi := len(h.Counts), -1
	for i, n := range h.Counts {
		if n > 0 {
			lo, hi = min(lo, i), max(hi, i)
		}
	}
	for i := max(lo-3, 0); i <= min(hi+3, len(h.Counts)-1) && hi >= 0; i++ {
		p.Data.Latency = append(p.Data.Latency, stepData{h.Counts[i], brief(h.Upper(i))})
	}
}

// brief is a duration in two digits.
func brief(d time.Duration) string {
	short := func(v float64) string {
		if v >= 10 {
			return strconv.FormatFloat(v, 'f', 0, 64)
		}
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	switch {
	case d < time.Millisecond:
		return short(float64(d)/1e3) + "\u00b5s"
	case d < time.Second:
		return short(float64(d)/1e6) + "ms"
	case d < time.Minute:
		return short(d.Seconds()) + "s"
	}
	return short(d.Minutes()) + "m"
}

func (p *pageData) fills(r *backtest.Result, a *About) {
	rows := r.FillRows
	p.FillsNote = fmt.Sprintf("%s fills were kept of %s.", grouped(uint64(len(rows))), grouped(r.Orders.Fills))
	if len(rows) > fillsListed {
		rows = rows[len(rows)-fillsListed:]
	}
	for i := len(rows) - 1; i >= 0; i-- {
		f := &rows[i]
		row := fillRow{At: time.Unix(0, int64(a.Start)+int64(f.At)).UTC().Format("15:04:05.000"), Symbol: a.Table.Get(f.Instrument).Symbol,
			Side: f.Side.String(), As: "taker", Qty: f.Qty.String(), Price: f.Price.String(), Fee: f.Fee.String() + " " + a.Table.AssetName(f.FeeAsset)}
		if f.Maker {
			row.As = "maker"
		}
		if f.Mid > 0 {
			row.Edge = fmt.Sprintf("%+.2f", float64(f.Side.Sign())*float64(f.Mid-f.Price)/float64(f.Mid)*1e4)
		}
		for _, v := range f.Marks {
			text := "\u2013"
			if !math.IsNaN(v) {
				text = fmt.Sprintf("%+.2f", v)
			}
			row.Marks = append(row.Marks, text)
		}
		p.Fills = append(p.Fills, row)
	}
}

func (p *pageData) draw(r *backtest.Result, a *About) {
	d := &p.Data
	d.Start, d.Currency, d.Horizons = float64(a.Start)/1e6, a.Currency, p.Horizons
	for i := range a.Table.List {
		in := &a.Table.List[i]
		d.Symbols = append(d.Symbols, symbolData{Name: in.Symbol, Base: a.Table.AssetName(in.Base), Quote: a.Table.AssetName(in.Quote), Fills: [][4]float64{}})
	}
	for i := range r.Points {
		pt := &r.Points[i]
		d.T = append(d.T, float64(pt.At)/1e6)
		d.Equity = append(d.Equity, rounded(pt.Equity))
		d.Drawdown = append(d.Drawdown, rounded(-pt.Drawdown))
		for k := range d.Symbols {
			s := &d.Symbols[k]
			var mid *float64
			if m := pt.Mids[k]; m > 0 {
				v := float64(m) / core.Scale
				mid = &v
			}
			s.Mid = append(s.Mid, mid)
			s.Position = append(s.Position, float64(pt.Position[k])/core.Scale)
		}
	}
	rows := r.FillRows
	if len(rows) > fillsDrawn {
		p.FillsNote += fmt.Sprintf(" The newest %s are drawn.", grouped(fillsDrawn))
		rows = rows[len(rows)-fillsDrawn:]
	}
	for i := range rows {
		f := &rows[i]
		maker := 0.0
		if f.Maker {
			maker = 1
		}
		s := &d.Symbols[f.Instrument]
		s.Fills = append(s.Fills, [4]float64{math.Round(float64(f.At)/1e3) / 1e3, float64(f.Price) / core.Scale, float64(f.Side.Sign()), maker})
	}
}

// rounded keeps as many digits as a picture shows.
func rounded(v float64) float64 {
	text := strconv.FormatFloat(v, 'g', 9, 64)
	out, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return v
	}
	return out
}
