package sql

import (
	"context"
	dbsql "database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"riposte/core"
	"riposte/core/journal"
)

// The tests here run this program again as a child that writes a store and is killed.
const childDir = "RIPOSTE_SQL_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// failer is a test, or a draw of a property's.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// tape is a journal made by hand, record by record.
type tape struct {
	t   failer
	dir string
	n   uint64 // of its file
	seq uint64
	now core.WallNs
	buf []byte
}

func newTape(t failer, dir string) *tape {
	b := &tape{t: t, dir: dir, now: 1_000_000_000_000_000_000}
	b.file()
	return b
}

// file begins the next file.
func (b *tape) file() {
	b.flush()
	b.n++
	b.note(&journal.Segment{Number: b.n, First: b.n})
}

func (b *tape) note(p journal.Payload) {
	b.seq++
	b.now += core.WallNs(time.Millisecond)
	b.buf = p.Append(b.buf, b.seq)
}

func (b *tape) name() string { return filepath.Join(b.dir, fmt.Sprintf("%08d.journal", b.n)) }

// flush puts what was noted into the file.
func (b *tape) flush() {
	b.t.Helper()
	if len(b.buf) == 0 {
		return
	}
	f, err := os.OpenFile(b.name(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(b.buf)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	b.buf = b.buf[:0]
}

var (
	tapeAssets  = []string{"BTC", "USDT", "ETH", "BNB"}
	tapeSymbols = []journal.InstrumentName{{Symbol: "BTCUSDT", Base: 0, Quote: 1}, {Symbol: "ETHBTC", Base: 2, Quote: 0}}
)

// begin starts a run, which carries over what carry notes.
func (b *tape) begin(epoch uint64, carry ...journal.Payload) {
	b.note(&journal.SessionStart{Epoch: epoch, Wall: b.now, Version: "v1", Account: "testnet", Prefix: "rp"})
	b.note(&journal.Names{Instruments: tapeSymbols, Assets: tapeAssets})
	c := journal.Checkpoint{Epoch: epoch}
	for _, p := range carry {
		b.note(p)
		switch p.(type) {
		case *journal.Position:
			c.Positions++
		case *journal.Holding:
			c.Holdings++
		case *journal.Order:
			c.Orders++
		}
	}
	b.note(&c)
}

func clientOf(epoch uint64, n int) core.ClientID {
	c, _ := core.MakeClientID(fmt.Sprintf("rp-%07d-%08d", epoch, n))
	return c
}

func (b *tape) place(epoch uint64, n int, symbol string, side core.Side, price core.Price, qty core.Qty) {
	b.note(&journal.Intent{Kind: core.Place, Side: side, Order: core.OrderID(n), Price: price, Qty: qty, Wall: b.now, Client: clientOf(epoch, n), Symbol: symbol})
}

func (b *tape) tell(r core.Report) { b.note(&journal.Report{Wall: b.now, Report: r}) }

// caughtUp is a store that has all of the tape.
func caughtUp(t failer, dir string) *Writer {
	t.Helper()
	w, err := OpenWriter(dir)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := w.CatchUp(context.Background()); err != nil {
		t.Fatalf("%v", err)
	}
	return w
}

// dump is everything that is in a store, as text.
func dump(t failer, dir string) string {
	t.Helper()
	db, conn, err := open(filepath.Join(dir, FileName), false)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer db.Close()
	defer conn.Close()
	var tables []string
	if err := eachRow(conn, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", func(r *dbsql.Rows) error {
		var name string
		err := r.Scan(&name)
		tables = append(tables, name)
		return err
	}); err != nil {
		t.Fatalf("%v", err)
	}
	var out strings.Builder
	for _, table := range tables {
		var lines []string
		if err := eachRow(conn, "SELECT * FROM "+table, func(r *dbsql.Rows) error {
			cols, err := r.Columns()
			if err != nil {
				return err
			}
			values := make([]any, len(cols))
			to := make([]any, len(cols))
			for i := range values {
				to[i] = &values[i]
			}
			err = r.Scan(to...)
			lines = append(lines, fmt.Sprint(values...))
			return err
		}); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		slices.Sort(lines)
		fmt.Fprintf(&out, "%s\n%s\n", table, strings.Join(lines, "\n"))
	}
	return out.String()
}

// rows asks a store for rows.
func rows[T any](t failer, dir string, ask func(*Reader, Query, func(*T) error) error, q Query) (all []T) {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer r.Close()
	if err := ask(r, q, func(row *T) error { all = append(all, *row); return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return all
}
