package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"

	"riposte/core"
	"riposte/tools/store"
)

// Reader asks a store, also while a Writer is at it. Each question sees what was
// committed when it began. One goroutine.
type Reader struct {
	name string
	db   *dbsql.DB
	conn *dbsql.Conn
}

// OpenReader opens the store of a journal's folder; ErrNone if there is none.
func OpenReader(dir string) (*Reader, error) {
	r := &Reader{name: filepath.Join(dir, FileName)}
	var err error
	r.db, r.conn, err = open(r.name, false)
	return r, err
}

// Close closes the database.
func (r *Reader) Close() error {
	_ = r.conn.Close()
	return r.db.Close()
}

// Words of the engine's own, as they stand in the store by number.
type (
	// Side is BUY or SELL.
	Side string
	// Type is an order's.
	Type string
	// TIF is an order's time in force.
	TIF string
	// STP is an order's self-trade prevention.
	STP string
	// OrderStatus is an order's.
	OrderStatus string
)

// Scan reads the number.
func (w *Side) Scan(v any) error { return scanWord(w, v, core.Sell) }

// Scan reads the number.
func (w *Type) Scan(v any) error { return scanWord(w, v, core.TakeProfitLimit) }

// Scan reads the number.
func (w *TIF) Scan(v any) error { return scanWord(w, v, core.FOK) }

// Scan reads the number.
func (w *STP) Scan(v any) error { return scanWord(w, v, core.STPTransfer) }

// Scan reads the number.
func (w *OrderStatus) Scan(v any) error { return scanWord(w, v, core.NotSent) }

func scanWord[W ~string, E interface {
	~uint8
	String() string
}](w *W, v any, last E) error {
	n, ok := v.(int64)
	if !ok || n < 0 || n > int64(last) {
		return fmt.Errorf("a word is %v, want 0 to %d", v, last)
	}
	*w = W(E(n).String())
	return nil
}

// The rows. Their tags name the columns in every form of output and give a Parquet file
// its types; decimals are at 1e-8. A time of 0 has not come. A strategy is its name, or its
// number where the store has been told no name of that run.
type (
	// Order is one order of ours, whatever became of it.
	Order struct {
		Run      int64       `parquet:"run"`
		Client   string      `parquet:"client"`
		Venue    int64       `parquet:"venue_id"`
		Symbol   string      `parquet:"symbol"`
		Strategy string      `parquet:"strategy"`
		Side     Side        `parquet:"side"`
		Type     Type        `parquet:"type"`
		TIF      TIF         `parquet:"tif"`
		Price    core.Price  `parquet:"price,decimal(8:18)"`
		Qty      core.Qty    `parquet:"qty,decimal(8:18)"`
		Cum      core.Qty    `parquet:"filled,decimal(8:18)"`
		Status   OrderStatus `parquet:"status"`
		Code     int64       `parquet:"code"`
		Stop     core.Price  `parquet:"stop,decimal(8:18)"`
		Iceberg  core.Qty    `parquet:"iceberg,decimal(8:18)"`
		Trail    int64       `parquet:"trail"`
		STP      STP         `parquet:"stp"`
		Route    int64       `parquet:"route"`
		Input    int64       `parquet:"input"`
		Signed   core.WallNs `parquet:"signed,optional,timestamp(nanosecond)"`
		Sent     core.WallNs `parquet:"sent,optional,timestamp(nanosecond)"`
		Acked    core.WallNs `parquet:"acked,optional,timestamp(nanosecond)"`
		Cancel   core.WallNs `parquet:"cancel_asked,optional,timestamp(nanosecond)"`
		Doubted  core.WallNs `parquet:"doubted,optional,timestamp(nanosecond)"`
		Ended    core.WallNs `parquet:"ended,optional,timestamp(nanosecond)"`
	}
	// Fill is one trade of an order of ours.
	Fill struct {
		Time     core.WallNs `parquet:"time,optional,timestamp(nanosecond)"`
		Symbol   string      `parquet:"symbol"`
		Trade    int64       `parquet:"trade_id"`
		Client   string      `parquet:"client"`
		Venue    int64       `parquet:"venue_id"`
		Strategy string      `parquet:"strategy"`
		Side     Side        `parquet:"side"`
		Price    core.Price  `parquet:"price,decimal(8:18)"`
		Qty      core.Qty    `parquet:"qty,decimal(8:18)"`
		Quote    core.Amount `parquet:"quote,decimal(8:18)"`
		Fee      core.Amount `parquet:"fee,decimal(8:18)"`
		FeeAsset string      `parquet:"fee_asset"`
		Maker    bool        `parquet:"maker"`
		Heard    core.WallNs `parquet:"heard,optional,timestamp(nanosecond)"`
	}
	// Position is what the fills of a symbol have made. Holding is Net less the
	// commissions taken in the base asset; Realised is before commissions, Profit after
	// those in quote and base, the latter at their own trades' prices. Commissions in
	// third assets are rows of Fee.
	Position struct {
		Symbol    string      `parquet:"symbol"`
		Net       core.Qty    `parquet:"net,decimal(8:18)"`
		Holding   core.Qty    `parquet:"holding,decimal(8:18)"`
		Cost      core.Amount `parquet:"cost,decimal(8:18)"`
		Average   core.Price  `parquet:"average,decimal(8:18)"`
		Cash      core.Amount `parquet:"cash,decimal(8:18)"`
		Realised  core.Amount `parquet:"realised,decimal(8:18)"`
		QuoteFees core.Amount `parquet:"quote_fees,decimal(8:18)"`
		BaseFees  core.Qty    `parquet:"base_fees,decimal(8:18)"`
		BaseWorth core.Amount `parquet:"base_fees_worth,decimal(8:18)"`
		Profit    core.Amount `parquet:"profit,decimal(8:18)"`
		Quote     string      `parquet:"quote"`
		Fills     int64       `parquet:"fills"`
		Mark      int64       `parquet:"read_up_to_trade"`
	}
	// Fee is what was paid of an asset on a symbol.
	Fee struct {
		Symbol string      `parquet:"symbol"`
		Asset  string      `parquet:"asset"`
		Paid   core.Amount `parquet:"paid,decimal(8:18)"`
	}
	// Balance is what should be owned of an asset, and what the venue told last.
	Balance struct {
		Asset      string      `parquet:"asset"`
		Opening    core.Amount `parquet:"opening,decimal(8:18)"`
		Traded     core.Amount `parquet:"traded,decimal(8:18)"`
		Fees       core.Amount `parquet:"fees,decimal(8:18)"`
		Moved      core.Amount `parquet:"moved,decimal(8:18)"`
		Owned      core.Amount `parquet:"owned,decimal(8:18)"`
		Told       core.Amount `parquet:"told,decimal(8:18)"`
		Difference core.Amount `parquet:"difference,decimal(8:18)"`
		Time       core.WallNs `parquet:"time,optional,timestamp(nanosecond)"`
	}
	// Refusal is intents that were not let through for one reason.
	Refusal struct {
		ID       string      `parquet:"id"` // of the last one, as `riposte why` takes it
		Run      int64       `parquet:"run"`
		Reason   int64       `parquet:"reason"`
		Text     string      `parquet:"text"`
		Symbol   string      `parquet:"symbol"`
		Strategy string      `parquet:"strategy"`
		Side     Side        `parquet:"side"`
		Count    int64       `parquet:"count"`
		First    core.WallNs `parquet:"first,optional,timestamp(nanosecond)"`
		Last     core.WallNs `parquet:"last,optional,timestamp(nanosecond)"`
		Price    core.Price  `parquet:"price,decimal(8:18)"`
		Qty      core.Qty    `parquet:"qty,decimal(8:18)"`
	}
	// Halt is a stop of trading, or its end.
	Halt struct {
		Time   core.WallNs `parquet:"time,optional,timestamp(nanosecond)"`
		Run    int64       `parquet:"run"`
		Raised bool        `parquet:"raised"`
		Causes string      `parquet:"causes"`
		Who    string      `parquet:"who"`
		Text   string      `parquet:"text"`
	}
	// Reconciliation is a comparison of the engine's with the venue's account.
	Reconciliation struct {
		Time    core.WallNs `parquet:"time,optional,timestamp(nanosecond)"`
		Run     int64       `parquet:"run"`
		Settled bool        `parquet:"settled"`
		Found   int64       `parquet:"found"`
		Halting int64       `parquet:"halting"`
		Text    string      `parquet:"text"`
	}
	// Session is a run of the engine.
	Session struct {
		Run     int64       `parquet:"run"`
		Era     int64       `parquet:"era"`
		Started core.WallNs `parquet:"started,optional,timestamp(nanosecond)"`
		Ended   core.WallNs `parquet:"ended,optional,timestamp(nanosecond)"`
		Clean   bool        `parquet:"clean"`
		Version string      `parquet:"version"`
		Config  string      `parquet:"config"`
		Account string      `parquet:"account"`
		Prefix  string      `parquet:"prefix"`
		Text    string      `parquet:"text"`
	}
	// Limit is a limit that was in force in a run.
	Limit struct {
		Run   int64  `parquet:"run"`
		Scope string `parquet:"scope"`
		Name  string `parquet:"name"`
		Value string `parquet:"value"`
	}
)

// Query says which rows are wanted. Zero fields want all.
type Query struct {
	Open   bool // of orders: those of the present era that have not ended
	Era    bool // of fills: those of the present era
	Symbol string
	Since  core.WallNs
	Limit  int // the newest, 0: all
}

// The present era is that of the newest run.
const presentEra = "(SELECT era FROM progress)"

// strategyName is that of the row that of is the name of, by the run that made it.
func strategyName(of string) string {
	return "coalesce((SELECT name FROM strategies AS n WHERE n.run = " + of + ".run AND n.number = " + of + ".strategy), CAST(" + of + ".strategy AS TEXT))"
}

var ordersSelect = `SELECT run, client, venue, symbol, ` + strategyName("o") + `, side, type, tif, price, qty, cum, status, code, stop, iceberg, trail, stp, route, input,
	signed, sent, acked, cancel, doubted, ended FROM (SELECT * FROM orders WHERE (?1 = 0 OR era = ` + presentEra + ` AND status < ?2)
	AND (?3 = '' OR symbol = ?3) AND signed >= ?4 ORDER BY id DESC LIMIT ?5) AS o ORDER BY id`

// Orders calls f with each order, oldest first.
func (r *Reader) Orders(q Query, f func(*Order) error) error {
	return list(r, f, ordersSelect, q.Open, int64(core.Filled), q.Symbol, int64(q.Since), limit(q.Limit))
}

// The order of a fill may have been made in a former run than the one that heard of it.
var fillsSelect = `SELECT time, symbol, trade, client, venue, coalesce((SELECT ` + strategyName("o") + ` FROM orders AS o WHERE o.client = f.client), ''), side, price, qty, quote, fee, fee_asset, maker, heard
	FROM (SELECT * FROM fills WHERE (?1 = '' OR symbol = ?1) AND heard >= ?2 AND (?4 = 0 OR era = ` + presentEra + `) ORDER BY seq DESC LIMIT ?3) AS f ORDER BY seq`

// Fills calls f with each fill, in the order in which they became known.
func (r *Reader) Fills(q Query, f func(*Fill) error) error {
	return list(r, f, fillsSelect, q.Symbol, int64(q.Since), limit(q.Limit), q.Era)
}

// An average is shown, not computed with: it may round.
const positionsSelect = `SELECT symbol, net, net - base_fees, cost, CASE WHEN net = 0 THEN 0 ELSE CAST(round(1e8 * cost / abs(net)) AS INTEGER) END, cash,
	realised, quote_fees, base_fees, base_worth, realised - quote_fees - base_worth, quote, fills, mark FROM positions
	WHERE era = ` + presentEra + ` AND (?1 = '' OR symbol = ?1) ORDER BY symbol`

// Positions calls f with each symbol of the present era.
func (r *Reader) Positions(q Query, f func(*Position) error) error {
	return list(r, f, positionsSelect, q.Symbol)
}

// Fees calls f with what was paid on each symbol in each asset in the present era.
func (r *Reader) Fees(q Query, f func(*Fee) error) error {
	return list(r, f, "SELECT symbol, asset, paid FROM fees WHERE era = "+presentEra+" AND (?1 = '' OR symbol = ?1) ORDER BY symbol, asset", q.Symbol)
}

// Balances calls f with each asset of the present era.
func (r *Reader) Balances(_ Query, f func(*Balance) error) error {
	return list(r, f, "SELECT asset, opening, traded, fees, moved, "+owned+", told, difference, time FROM balances WHERE era = "+presentEra+" ORDER BY asset")
}

// Refusals calls f with each reason, of all runs.
func (r *Reader) Refusals(q Query, f func(*Refusal) error) error {
	return list(r, f, `SELECT CASE WHEN record > 0 THEN 'r' || record WHEN reason = ?4 THEN run || ':' || number ELSE '' END, run, reason, text, symbol, `+strategyName("o")+`, side, count, first, last, price, qty FROM (SELECT * FROM refusals
		WHERE (?1 = '' OR symbol = ?1) AND last >= ?2 ORDER BY last DESC LIMIT ?3) AS o ORDER BY last, reason, symbol, side`, q.Symbol, int64(q.Since), limit(q.Limit), withheld)
}

// Halts calls f with each halt and each resumption, of all runs.
func (r *Reader) Halts(q Query, f func(*Halt) error) error {
	return list(r, f, `SELECT time, run, raised, causes, who, text FROM (SELECT * FROM halts WHERE time >= ? ORDER BY seq DESC LIMIT ?) ORDER BY seq`, int64(q.Since), limit(q.Limit))
}

// Reconciliations calls f with each comparison with the venue, of all runs.
func (r *Reader) Reconciliations(q Query, f func(*Reconciliation) error) error {
	return list(r, f, `SELECT time, run, settled, found, halting, text FROM (SELECT * FROM reconciliations WHERE time >= ? ORDER BY seq DESC LIMIT ?) ORDER BY seq`, int64(q.Since), limit(q.Limit))
}

// Sessions calls f with each run.
func (r *Reader) Sessions(q Query, f func(*Session) error) error {
	return list(r, f, `SELECT run, era, started, ended, clean, version, config, account, prefix, text FROM (SELECT * FROM sessions WHERE started >= ?
		ORDER BY run DESC LIMIT ?) ORDER BY run`, int64(q.Since), limit(q.Limit))
}

// Limits calls f with each limit of each run.
func (r *Reader) Limits(q Query, f func(*Limit) error) error {
	return list(r, f, "SELECT run, scope, name, value FROM limits WHERE (?1 = '' OR scope = ?1) ORDER BY run, scope, name", q.Symbol)
}

// Behind is how many records of the journal in dir are not in the store yet.
func (r *Reader) Behind(dir string) (n int, err error) {
	var at store.Place
	if err := r.conn.QueryRowContext(context.Background(), "SELECT file, offset, seq FROM progress").Scan(&at.File, &at.Offset, &at.Seq); err != nil {
		return 0, explain(r.name, err)
	}
	tail := store.NewTail(dir, at)
	for {
		switch _, err := tail.Next(); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
		n++
	}
}

// Holds reports whether the venue's order is one of ours, in the present era.
func (r *Reader) Holds(symbol string, venueID int64) (held bool, err error) {
	row := r.conn.QueryRowContext(context.Background(), "SELECT EXISTS (SELECT 1 FROM orders WHERE era = "+presentEra+" AND symbol = ? AND venue = ?)", symbol, venueID)
	if err := row.Scan(&held); err != nil {
		return false, explain(r.name, err)
	}
	return held, nil
}

func limit(n int) int64 {
	if n <= 0 {
		return -1
	}
	return int64(n)
}

// list reads rows into a struct, column by column in its fields' order. What f returns
// ends it and is returned as it is.
func list[T any](r *Reader, f func(*T) error, text string, args ...any) error {
	var row T
	v := reflect.ValueOf(&row).Elem()
	to := make([]any, v.NumField())
	for i := range to {
		to[i] = v.Field(i).Addr().Interface()
	}
	var stopped error
	err := eachRow(r.conn, text, func(rows *dbsql.Rows) error {
		if err := rows.Scan(to...); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		stopped = f(&row)
		return stopped
	}, args...)
	if err == nil || stopped != nil {
		return stopped
	}
	return explain(r.name, err)
}
