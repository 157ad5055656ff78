package app

import (
	"fmt"
	"io"
	"text/tabwriter"

	"riposte/core"
	"riposte/core/engine"
)

// strategyReport is one strategy at one symbol.
type strategyReport struct {
	Name     string `json:"name"`
	Symbol   string `json:"symbol"`
	Position string `json:"position"` // its own
	Open     int    `json:"open"`     // its own live orders
	PnL      string `json:"pnl"`      // in account.currency, since the start
	State    string `json:"state"`    // active, or what halts it alone
	Says     string `json:"says,omitempty"`
}

func (d *desk) reportSeats(r *report, in *core.Instrument, m *engine.MarketStats) {
	for i := range m.Seats {
		s := &m.Seats[i]
		r.Strategies = append(r.Strategies, strategyReport{Name: d.strategies[s.Number], Symbol: in.Symbol, Position: s.Exposure.Position.String(),
			Open: s.Exposure.Open, PnL: s.PnL.String(), State: s.Halted.String(), Says: string(s.Says)})
	}
}

// strategyTable tells strategies apart where there are several, and what they say.
func (r *report) strategyTable(w io.Writer) {
	names := map[string]bool{}
	says := false
	for i := range r.Strategies {
		names[r.Strategies[i].Name] = true
		says = says || r.Strategies[i].Says != ""
	}
	if len(names) < 2 && !says {
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "strategy\tsymbol\tposition\topen\tpnl\tstate\tsays")
	for i := range r.Strategies {
		s := &r.Strategies[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Name, s.Symbol, s.Position, s.Open, s.PnL, s.State, s.Says)
	}
	t.Flush()
}
