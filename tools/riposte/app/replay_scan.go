package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"riposte/core"
	"riposte/feed/binance"
	"riposte/tools/tape"
)

// tapeScan is what a first pass over the tapes shows: which symbols there are, on
// what kind of market, and what tick their prices lie on. A recording carries no
// exchangeInfo, so the rules are read off the data.
type tapeScan struct {
	symbols []string
	tick    map[string]core.Price // greatest common divisor of the snapshot's prices
	rest    string                // path of the first depth answer
	chained bool                  // a depth event says which id it follows
	unit    core.TimeUnit         // of the frames' times; a recording of ours says so
	cuts    []string              // recordings whose writer was interrupted
	labels  map[string]bool       // of the connections that brought frames
	ours    bool                  // a recording of ours: its labels are lines that bring the same
}

func scanTapes(files []string) (*tapeScan, error) {
	if _, err := tape.Unit(files...); err != nil {
		return nil, err
	}
	tapes := tape.NewFiles(files...)
	s, err := scanLines(tapes.Each)
	if err == nil {
		s.cuts = tapes.Cuts()
	}
	return s, err
}

// scanLines is scanTapes for lines from anywhere.
func scanLines(each func(func(*tape.Line) error) error) (*tapeScan, error) {
	s := &tapeScan{tick: map[string]core.Price{}, labels: map[string]bool{}}
	seen := map[string]bool{}
	add := func(sym string) {
		if sym != "" && !seen[sym] {
			seen[sym] = true
			s.symbols = append(s.symbols, sym)
		}
	}
	err := each(func(l *tape.Line) error {
		if l.Note == tape.NoteMeta {
			return s.meta(l)
		}
		if l.Frame() {
			add(symbolOf(l.Payload))
			s.labels[l.Label] = true
			s.chained = s.chained || bytes.Contains(l.Payload, []byte(`"pu":`))
			return nil
		}
		sym := l.Symbol()
		if sym == "" || !strings.Contains(l.Rest, "/depth?") {
			return nil
		}
		add(sym)
		if s.rest == "" {
			s.rest = l.Rest
		}
		im, err := binance.ParseSnapshot(l.Payload, 0, 0, core.Milliseconds)
		if err != nil {
			return fmt.Errorf("cannot use the answer of %s: %w", l.Rest, err)
		}
		for _, side := range [2][]core.Level{im.Bids, im.Asks} {
			for _, lv := range side {
				s.tick[sym] = gcd(s.tick[sym], lv.Price)
			}
		}
		return nil
	})
	if err == nil && len(s.symbols) == 0 {
		err = errors.New("cannot replay: got no symbol in these tapes, want frames of at least one")
	}
	return s, err
}

// symbolOf finds "s":"SYMBOL" anywhere in a frame, which every event but partial
// depth has; those name it in their stream.
func symbolOf(frame []byte) string {
	if i := bytes.Index(frame, []byte(`"s":"`)); i >= 0 {
		rest := frame[i+5:]
		if j := bytes.IndexByte(rest, '"'); j > 0 {
			return string(rest[:j])
		}
	}
	const prefix = `{"stream":"`
	if bytes.HasPrefix(frame, []byte(prefix)) {
		name, _, ok := bytes.Cut(frame[len(prefix):], []byte{'@'})
		if ok && len(name) > 0 && name[0] != '!' {
			return strings.ToUpper(string(name))
		}
	}
	return ""
}

func gcd(a, b core.Price) core.Price {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (s *tapeScan) marketOf(name string) (core.Market, error) {
	switch name {
	case "spot":
		return core.Spot, nil
	case "usdm":
		return core.LinearFutures, nil
	case "coinm":
		return core.InverseFutures, nil
	}
	switch {
	case strings.HasPrefix(s.rest, "/dapi/"):
		return core.InverseFutures, nil
	case strings.HasPrefix(s.rest, "/fapi/"), s.rest == "" && s.chained:
		return core.LinearFutures, nil
	}
	return core.Spot, nil
}

func (s *tapeScan) instruments(m core.Market) (*core.Instruments, error) {
	t := core.NewInstruments()
	for _, sym := range s.symbols {
		in := core.Instrument{Symbol: sym, Market: m, Status: core.StatusTrading, Base: core.NoAsset, Quote: core.NoAsset,
			Filters: core.Filters{Tick: s.tick[sym]}}
		if _, err := t.Add(in); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// meta takes what a recording of ours says of itself.
func (s *tapeScan) meta(l *tape.Line) error {
	m, err := l.Meta()
	s.ours, s.unit = true, m.Unit()
	return err
}
