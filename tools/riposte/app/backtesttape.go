package app

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"riposte/core"
	feedbinance "riposte/feed/binance"
	"riposte/tools/backtest"
	"riposte/tools/tape"
)

// tapeSource is what a backtest reads: recordings, and files of the venue's public history.
type tapeSource struct {
	files []string
	scan  *tapeScan
	sum   string
	cut   int64 // lines received later than this are not there; 0: all are
}

// openSource looks once through the tapes.
func openSource(names []string) (*tapeSource, error) {
	files, err := tape.Expand(names)
	if err != nil {
		return nil, err
	}
	s := &tapeSource{files: files}
	if s.scan, err = scanLines(s.each); err != nil {
		return nil, err
	}
	in, err := openImport(files)
	if err != nil {
		return nil, err
	}
	if len(in.history) > 0 {
		s.scan.unit = max(s.scan.unit, in.unit) // frames are made in it
	}
	in.close()
	hash := sha256.New()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("cannot open the tape: %w", err)
		}
		_, err = io.Copy(hash, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("cannot read the tape %s: %w", name, err)
		}
	}
	s.sum = hex.EncodeToString(hash.Sum(nil))
	return s, nil
}

// each calls with every line, up to the cut.
func (s *tapeSource) each(f func(*tape.Line) error) error {
	in, err := openImport(s.files)
	if err != nil {
		return err
	}
	defer in.close()
	var l tape.Line
	for {
		err := in.Next(&l)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case s.cut > 0 && l.RecvNs > s.cut:
			return nil
		}
		if err := f(&l); err != nil {
			return err
		}
	}
}

// decode makes events of the symbols that a configuration wants. dir is where they are
// kept for the next time, "" nowhere: then the file has no name and goes with the process.
func (s *tapeSource) decode(symbols []string, spreadTicks int, dir string) (*backtest.Events, error) {
	src := &backtest.Source{Each: s.each, Tapes: s.sum, Unit: s.scan.unit, Symbols: symbols, Lines: slices.Sorted(maps.Keys(s.scan.labels)), SpreadTicks: spreadTicks}
	if dir == "" {
		f, err := os.CreateTemp("", "riposte-tape-*")
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := os.Remove(f.Name()); err != nil {
			return nil, err
		}
		return backtest.Decode(src, f)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot keep the decoded tape: %w", err)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s %d %v %d", s.sum, s.scan.unit, symbols, spreadTicks))
	name := filepath.Join(dir, hex.EncodeToString(key[:12])+".events")
	if e, err := backtest.OpenEvents(name); err == nil {
		return e, nil
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return nil, fmt.Errorf("cannot keep the decoded tape: %w", err)
	}
	defer f.Close()
	e, err := backtest.Decode(src, f)
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return nil, err
	}
	return e, nil
}

// backtestRules are the rules of a tape's symbols: from a file, from the recording, or
// read off its numbers; note says which, where it is not the venue's own word.
func backtestRules(e *backtest.Events, file string) (t *core.Instruments, limits []feedbinance.RateLimit, note string, err error) {
	names := make([]string, len(e.Symbols))
	for i := range names {
		names[i] = e.Symbols[i].Name
	}
	body := e.Rules
	if file != "" {
		if body, err = os.ReadFile(file); err != nil {
			return nil, nil, "", fmt.Errorf("cannot read the rules: %w", err)
		}
	}
	if body == nil {
		if t, told := toldRules(e); told {
			return t, nil, "", nil
		}
		t, err = guessRules(e)
		return t, nil, "the tapes do not tell the venue's rules: tick and lot are read off their numbers, nothing else binds (--rules FILE gives an exchangeInfo)", err
	}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(z, 256<<20))
		}
		if err != nil {
			return nil, nil, "", fmt.Errorf("cannot read the rules: %w", err)
		}
	}
	info, err := feedbinance.ParseExchangeInfo(body, core.Spot, names...)
	if err != nil {
		return nil, nil, "", err
	}
	t, err = ordered(info.Instruments, names)
	return t, info.RateLimits, "", err
}

// ordered is a table in the order of the tape's symbols.
func ordered(from *core.Instruments, names []string) (*core.Instruments, error) {
	t := core.NewInstruments()
	t.Account = from.Account
	for _, name := range names {
		was, ok := from.Lookup(name)
		if !ok {
			return nil, fmt.Errorf("cannot backtest %s: the rules do not have it", name)
		}
		in := *was
		in.Base, in.Quote = t.Asset(from.AssetName(was.Base)), t.Asset(from.AssetName(was.Quote))
		if _, err := t.Add(in); err != nil {
			return nil, err
		}
	}
	t.Asset("BNB") // commissions may be taken in it
	return t, nil
}

// toldRules are the first that a recording tells of each symbol, if it does of all.
func toldRules(e *backtest.Events) (t *core.Instruments, all bool) {
	t = core.NewInstruments()
	for i := range e.Symbols {
		at := slices.IndexFunc(e.Ruled, func(r tape.Rules) bool { return r.Symbol == e.Symbols[i].Name })
		if at < 0 {
			return nil, false
		}
		in := e.Ruled[at].Rules
		in.Base, in.Quote = t.Asset(e.Ruled[at].Base), t.Asset(e.Ruled[at].Quote)
		if _, err := t.Add(in); err != nil {
			return nil, false
		}
	}
	t.Asset("BNB") // commissions may be taken in it
	return t, true
}

// quotes are assets that symbols are quoted in, longer ones first.
var quotes = []string{"FDUSD", "USDT", "USDC", "BUSD", "TUSD", "EUR", "TRY", "BRL", "GBP", "BTC", "ETH", "BNB"}

func guessRules(e *backtest.Events) (*core.Instruments, error) {
	t := core.NewInstruments()
	for i := range e.Symbols {
		s := &e.Symbols[i]
		quote := ""
		for _, q := range quotes {
			if strings.HasSuffix(s.Name, q) && len(s.Name) > len(q) {
				quote = q
				break
			}
		}
		if quote == "" {
			return nil, fmt.Errorf("cannot tell what %s is quoted in, want --rules FILE with the venue's exchangeInfo", s.Name)
		}
		lot := max(s.Lot, 1)
		in := core.Instrument{Symbol: s.Name, Base: t.Asset(strings.TrimSuffix(s.Name, quote)), Quote: t.Asset(quote), Status: core.StatusTrading,
			Features: ^core.Features(0), Filters: core.Filters{Tick: max(s.Tick, 1), Lot: lot, QtyMin: lot}}
		for o := core.Limit; o <= core.TakeProfitLimit; o++ {
			in.OrderTypes = in.OrderTypes.With(o)
		}
		if _, err := t.Add(in); err != nil {
			return nil, err
		}
	}
	t.Asset("BNB")
	return t, nil
}

// onlySymbols leaves of a configuration what a tape has; missing are the symbols that
// were asked for and are not there.
func (c *Config) onlySymbols(have []string) (missing []string, err error) {
	keep := func(list []string) (out []string) {
		for _, s := range list {
			if slices.Contains(have, s) {
				out = append(out, s)
			}
		}
		return out
	}
	c.fixSymbols()
	for _, s := range c.Market.Symbols {
		if !slices.Contains(have, s) {
			missing = append(missing, s)
		}
	}
	c.Market.Symbols = keep(c.Market.Symbols)
	c.Strategy.Symbols = keep(c.Strategy.Symbols)
	for name, s := range c.Several {
		if s.Symbols = keep(s.Symbols); len(s.Symbols) == 0 {
			return missing, fmt.Errorf("cannot backtest strategies.%s: the tapes have none of its symbols", name)
		}
		maps.DeleteFunc(s.PositionMax, func(sym string, _ quantity) bool { return !slices.Contains(s.Symbols, sym) })
		c.Several[name] = s
	}
	if len(c.Market.Symbols) == 0 || len(c.traded()) == 0 || c.Strategy.Name != "" && len(c.Strategy.Symbols) == 0 {
		return missing, fmt.Errorf("cannot backtest: the tapes have %s, and the configuration trades none of them", strings.Join(have, ", "))
	}
	return missing, nil
}
