package app

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"riposte/core"
	"riposte/tools/backtest"
	"riposte/tools/backtest/page"
)

// backtestFill, backtestOrder and backtestPoint are rows of what --out writes.
type backtestFill struct {
	Time     core.WallNs `parquet:"time,timestamp(nanosecond)"`
	Known    core.WallNs `parquet:"known,timestamp(nanosecond)"`
	Order    int64       `parquet:"order"`
	Strategy int64       `parquet:"strategy"`
	Symbol   string      `parquet:"symbol"`
	Side     string      `parquet:"side"`
	Maker    bool        `parquet:"maker"`
	Price    core.Price  `parquet:"price,decimal(8:18)"`
	Qty      core.Qty    `parquet:"qty,decimal(8:18)"`
	Quote    core.Amount `parquet:"quote,decimal(8:18)"`
	Fee      core.Amount `parquet:"fee,decimal(8:18)"`
	FeeAsset string      `parquet:"fee_asset"`
	Mid      core.Price  `parquet:"mid,decimal(8:18)"`
	Mark100  float64     `parquet:"mark_100ms"`
	Mark1s   float64     `parquet:"mark_1s"`
	Mark5s   float64     `parquet:"mark_5s"`
	Mark30s  float64     `parquet:"mark_30s"`
	Mark1m   float64     `parquet:"mark_1m"`
	Mark5m   float64     `parquet:"mark_5m"`
}

type backtestOrder struct {
	Time     core.WallNs `parquet:"time,timestamp(nanosecond)"`
	Acked    core.WallNs `parquet:"acked,timestamp(nanosecond)"`
	Ended    core.WallNs `parquet:"ended,timestamp(nanosecond)"`
	Order    int64       `parquet:"order"`
	Strategy int64       `parquet:"strategy"`
	Symbol   string      `parquet:"symbol"`
	Side     string      `parquet:"side"`
	Type     string      `parquet:"type"`
	TIF      string      `parquet:"tif"`
	Price    core.Price  `parquet:"price,decimal(8:18)"`
	Qty      core.Qty    `parquet:"qty,decimal(8:18)"`
	Filled   core.Qty    `parquet:"filled,decimal(8:18)"`
	Status   string      `parquet:"status"`
	Code     int64       `parquet:"code"`
}

type backtestPoint struct {
	Time     core.WallNs `parquet:"time,timestamp(nanosecond)"`
	Symbol   string      `parquet:"symbol"`
	Mid      core.Price  `parquet:"mid,decimal(8:18)"`
	Position core.Qty    `parquet:"position,decimal(8:18)"`
	Equity   float64     `parquet:"equity"`   // of all symbols
	Drawdown float64     `parquet:"drawdown"` // likewise
}

// export writes fills, orders and equity into a folder, each as CSV and as Parquet.
func (b *backtesting) export(dir string, r *backtest.Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot write the tables: %w", err)
	}
	at := func(t core.MonoNs) core.WallNs {
		if t == 0 {
			return 0
		}
		return b.events.Start + core.WallNs(t)
	}
	return errors.Join(
		writeTables(dir, "fills", len(r.FillRows), func(i int, to *backtestFill) {
			f := &r.FillRows[i]
			*to = backtestFill{at(f.At), at(f.Known), int64(f.Order), int64(f.Strategy), b.table.Get(f.Instrument).Symbol, f.Side.String(), f.Maker, f.Price, f.Qty,
				f.Quote, f.Fee, b.table.AssetName(f.FeeAsset), f.Mid, f.Marks[0], f.Marks[1], f.Marks[2], f.Marks[3], f.Marks[4], f.Marks[5]}
		}),
		writeTables(dir, "orders", len(r.OrderRows), func(i int, to *backtestOrder) {
			o := &r.OrderRows[i]
			*to = backtestOrder{at(o.At), at(o.Acked), at(o.Ended), int64(o.ID), int64(o.Strategy), b.table.Get(o.Instrument).Symbol, o.Side.String(),
				o.Type.String(), o.TIF.String(), o.Price, o.Qty, o.Cum, o.Status.String(), int64(o.Code)}
		}),
		writeTables(dir, "equity", len(r.Points)*len(b.table.List), func(i int, to *backtestPoint) {
			p, k := &r.Points[i/len(b.table.List)], i%len(b.table.List)
			*to = backtestPoint{b.events.Start + core.WallNs(p.At), b.table.List[k].Symbol, p.Mids[k], p.Position[k], p.Equity, p.Drawdown}
		}),
	)
}

// writeTables writes n rows twice.
func writeTables[T any](dir, name string, n int, fill func(i int, to *T)) error {
	write := func(file string, open func(io.Writer) rowSink[T]) error {
		return writeWhole(filepath.Join(dir, file), func(f *os.File) error {
			buffered := bufio.NewWriter(f)
			sink := open(buffered)
			var row T
			for i := range n {
				fill(i, &row)
				if err := sink.row(&row); err != nil {
					return err
				}
			}
			return errors.Join(sink.end(), buffered.Flush())
		})
	}
	return errors.Join(
		write(name+".csv", func(w io.Writer) rowSink[T] { return newCSVSink[T](w) }),
		write(name+".parquet", func(w io.Writer) rowSink[T] {
			return &parquetSink[T]{parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Zstd))}
		}),
	)
}

// writeWhole writes a file as a whole or leaves what was there.
func writeWhole(name string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", name, err)
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("cannot write %s: %w", name, err)
	}
	return nil
}

// write writes what was asked for of a run with some keys changed; notes are said beside.
func (b *backtesting) write(r *backtest.Result, sets, notes []string) error {
	if out := b.cmd.Out; out != "" {
		if err := b.export(out, r); err != nil {
			return err
		}
	}
	if name := b.cmd.Report; name != "" {
		return b.report(name, r, sets, notes)
	}
	return nil
}

// report writes the HTML file.
func (b *backtesting) report(name string, r *backtest.Result, sets, notes []string) error {
	c := b.cmd
	cfg, err := c.config(sets)
	if err != nil {
		return err
	}
	a := &page.About{
		Title: strings.Join(cfg.strategyNames(), ", ") + " on " + symbolList(b.table), Start: b.events.Start, From: core.MonoNs(c.From), Table: b.table,
		Currency: b.table.AssetName(b.currency), Config: c.configText(), Warnings: notes, Notes: b.notes,
	}
	row := func(name, format string, args ...any) {
		a.Repeat = append(a.Repeat, page.Row{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	row("tapes", "%s", strings.Join(b.source.files, " "))
	row("tapes, SHA-256", "%s", b.source.sum)
	row("configuration, SHA-256", "%s", hex.EncodeToString(cfg.hash[:]))
	row("decisions, SHA-256", "%s", r.Hash)
	row("riposte", "%s, %s %s/%s", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	row("venue", "--latency %s --queue %s --impact %s --maker-bps %v --taker-bps %v --fee %s --seed %d", c.Latency, b.venue.Queue, c.Impact, c.Maker, c.Taker, c.Fee, c.Seed)
	if len(c.Balance) > 0 {
		row("balances", "%s", strings.Join(c.Balance, " "))
	}
	if c.Repeat > 1 || c.From > 0 || c.To > 0 {
		row("span", "--repeat %d --from %v --to %v", c.Repeat, c.From, c.To)
	}
	if all := slices.Concat(c.Set, sets); len(all) > 0 {
		row("set", "%s", strings.Join(all, " "))
	}
	row("speed", "%.2f million events a second of one core", r.Rate/1e6)
	return writeWhole(name, func(f *os.File) error {
		w := bufio.NewWriter(f)
		return errors.Join(page.Write(w, r, a), w.Flush())
	})
}

func symbolList(t *core.Instruments) string {
	var names []string
	for i := range t.List {
		names = append(names, t.List[i].Symbol)
	}
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), len(names)-4)
	}
	return strings.Join(names, ", ")
}

// configText is the configuration as its file has it. A file that holds a secret was
// refused when it was read.
func (c *backtestCmd) configText() string {
	if c.Config == "" {
		return "(built in: riposte config init)"
	}
	text, err := os.ReadFile(c.Config)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
