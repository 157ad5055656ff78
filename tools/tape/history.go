package tape

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"riposte/core"
)

// History reads one file of the venue's public history (data.binance.vision: zipped
// CSV, named SYMBOL-trades-DATE.zip, SYMBOL-aggTrades-DATE.zip or
// SYMBOL-INTERVAL-DATE.zip for klines; 2026-09) as the frames that the streams would
// have brought:
//
//	trades     id, price, qty, quote qty, time, buyer is maker[, best match]
//	aggTrades  id, price, qty, first id, last id, time, buyer is maker[, best match]
//	klines     open time, open, high, low, close, volume, close time, quote volume,
//	           trades, taker buy volume, taker buy quote volume, ignored
//
// Spot files are in microseconds since 2025-01-01 and in milliseconds before, futures
// files in milliseconds, some of them with a heading. The unit is told by the first
// time in the file, which in microseconds has 16 digits until the year 2286; every
// other must have as many. A trade was received when it happened, a kline when it
// closed. One goroutine.
type History struct {
	name     string
	symbol   string
	kind     string // trade, aggTrade or the kline's interval
	unit     core.TimeUnit
	digits   int
	sc       *bufio.Scanner
	line     int
	stream   string
	zeros    string // behind a time that is told in a finer unit
	first    []byte // the first line, already read
	frame    []byte
	fields   [][]byte
	lastRecv int64
	c        []io.Closer
}

var historyName = regexp.MustCompile(`^(.+)-(trades|aggTrades|[0-9]+(?:s|m|h|d|w|mo))-([0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)\.(?:zip|csv)$`)

// OpenHistory opens a file and reads as far as its first line.
func OpenHistory(name string) (h *History, err error) {
	m := historyName.FindStringSubmatch(filepath.Base(name))
	if m == nil {
		return nil, fmt.Errorf("cannot import %s: got a name that tells neither symbol nor kind, want such as BTCUSDT-trades-2025-01-31.zip, BTCUSDT-aggTrades-2025-01.zip or BTCUSDT-1m-2025-01-31.zip", name)
	}
	h = &History{name: name, symbol: m[1], kind: strings.TrimSuffix(m[2], "s")}
	if strings.HasSuffix(m[2], "s") && m[2] != "trades" && m[2] != "aggTrades" {
		h.kind = m[2] // an interval of seconds
	}
	if strings.HasSuffix(h.kind, "mo") {
		h.kind = strings.TrimSuffix(h.kind, "mo") + "M"
	}
	lower := strings.ToLower(h.symbol)
	h.stream = lower + "@" + h.kind
	if !h.trades() {
		h.stream = lower + "@kline_" + h.kind
	}
	defer func() {
		if err != nil {
			_ = h.Close()
		}
	}()
	src, err := h.open()
	if err != nil {
		return h, fmt.Errorf("cannot import %s: %w", name, err)
	}
	h.sc = bufio.NewScanner(src)
	h.sc.Buffer(make([]byte, 64<<10), 1<<20)
	return h, h.start()
}

func (h *History) trades() bool { return h.kind == "trade" || h.kind == "aggTrade" }

// open finds the one CSV file.
func (h *History) open() (io.Reader, error) {
	if strings.HasSuffix(h.name, ".csv") {
		f, err := os.Open(h.name)
		if err != nil {
			return nil, err
		}
		h.c = append(h.c, f)
		return f, nil
	}
	z, err := zip.OpenReader(h.name)
	if err != nil {
		return nil, err
	}
	h.c = append(h.c, z)
	if len(z.File) != 1 || !strings.HasSuffix(z.File[0].Name, ".csv") {
		return nil, fmt.Errorf("it holds %d files, want one .csv", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	h.c = append([]io.Closer{f}, h.c...)
	return f, nil
}

// start reads the first line, passes over a heading, and finds the unit of times.
func (h *History) start() error {
	for h.sc.Scan() {
		h.line++
		text := h.sc.Bytes()
		if h.line == 1 && len(text) > 0 && (text[0] < '0' || text[0] > '9') {
			continue
		}
		if err := h.split(text); err != nil {
			return err
		}
		at := h.fields[h.timeAt()]
		switch h.digits = len(at); h.digits {
		case 13:
			h.unit = core.Milliseconds
		case 16:
			h.unit = core.Microseconds
		default:
			return h.bad("time %q, want milliseconds (13 digits) or microseconds (16)", at)
		}
		h.first = bytes.Clone(text)
		return nil
	}
	if err := h.sc.Err(); err != nil {
		return fmt.Errorf("cannot import %s: %w", h.name, err)
	}
	return fmt.Errorf("cannot import %s: got no lines, want at least one %s", h.name, h.kind)
}

// Symbol is the symbol, Unit the unit of the frames' times.
func (h *History) Symbol() string { return h.symbol }

// Unit is the unit of the frames' times.
func (h *History) Unit() core.TimeUnit { return h.unit }

// Next reads the next line into l, as a frame of a combined connection; io.EOF at the
// end.
func (h *History) Next(l *Line) error {
	text := h.first
	if text == nil {
		if !h.sc.Scan() {
			if err := h.sc.Err(); err != nil {
				return fmt.Errorf("cannot import %s after line %d: %w", h.name, h.line, err)
			}
			return io.EOF
		}
		h.line++
		text = h.sc.Bytes()
	}
	err := h.split(text)
	if err == nil {
		err = h.check()
	}
	h.first = nil
	if err != nil {
		return err
	}
	recv, err := h.time(h.fields[h.timeAt()])
	if err != nil {
		return err
	}
	if recv < h.lastRecv && !h.trades() {
		return h.bad("time %s before that of the line above, want lines in order", h.fields[h.timeAt()])
	}
	// Trades are in order of id; their times may go back a little.
	h.lastRecv = max(h.lastRecv, recv)
	h.compose()
	*l = Line{RecvNs: h.lastRecv, Payload: h.frame}
	return nil
}

// timeAt is which field is the line's time: a kline's close.
func (h *History) timeAt() int {
	switch h.kind {
	case "trade":
		return 4
	case "aggTrade":
		return 5
	}
	return 6
}

func (h *History) split(text []byte) error {
	h.fields = h.fields[:0]
	for part := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte{'\r'}), []byte{','}) {
		h.fields = append(h.fields, part)
	}
	least, most := 12, 12
	switch h.kind {
	case "trade":
		least, most = 6, 7
	case "aggTrade":
		least, most = 7, 8
	}
	if len(h.fields) < least || len(h.fields) > most {
		return h.bad("%d fields, want %d to %d of %s", len(h.fields), least, most, h.kind)
	}
	return nil
}

// check makes sure that nothing but numbers and truth values gets into a frame.
func (h *History) check() error {
	decimals := []int{1, 2}
	integers := []int{0}
	flag := 5
	switch h.kind {
	case "trade":
	case "aggTrade":
		integers, flag = []int{0, 3, 4}, 6
	default:
		decimals, integers, flag = []int{1, 2, 3, 4, 5, 7, 9, 10}, []int{0, 8}, -1
	}
	for _, i := range decimals {
		if _, err := core.ParseDecimal(h.fields[i]); err != nil {
			return h.bad("%q in field %d, want a decimal number", h.fields[i], i+1)
		}
	}
	for _, i := range integers {
		if _, err := strconv.ParseUint(string(h.fields[i]), 10, 63); err != nil {
			return h.bad("%q in field %d, want a whole number", h.fields[i], i+1)
		}
	}
	if flag >= 0 {
		switch strings.ToLower(string(h.fields[flag])) {
		case "true", "false":
		default:
			return h.bad("%q in field %d, want true or false", h.fields[flag], flag+1)
		}
	}
	return nil
}

func (h *History) time(b []byte) (int64, error) {
	v, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || len(b) != h.digits {
		return 0, h.bad("time %q, want %d digits as above", b, h.digits)
	}
	return v * h.unit.Ns(), nil
}

// In has the frames tell their times in another unit: a tape has one. Milliseconds can
// become microseconds, not the other way.
func (h *History) In(unit core.TimeUnit) {
	h.zeros = ""
	if unit == core.Microseconds && h.unit == core.Milliseconds {
		h.zeros = "000"
	}
}

// compose builds the frame of the line's fields (Binance Spot API docs, WebSocket
// streams, 2026-07-21).
func (h *History) compose() {
	f, b := h.fields, h.frame[:0]
	at := string(f[h.timeAt()]) + h.zeros
	b = fmt.Appendf(b, `{"stream":"%s","data":{"e":"%s","E":%s,"s":"%s",`, h.stream, h.event(), at, h.symbol)
	switch h.kind {
	case "trade":
		b = fmt.Appendf(b, `"t":%s,"p":"%s","q":"%s","T":%s,"m":%s,"M":true}}`, f[0], f[1], f[2], at, bytes.ToLower(f[5]))
	case "aggTrade":
		b = fmt.Appendf(b, `"a":%s,"p":"%s","q":"%s","f":%s,"l":%s,"T":%s,"m":%s,"M":true}}`, f[0], f[1], f[2], f[3], f[4], at, bytes.ToLower(f[6]))
	default:
		b = fmt.Appendf(b, `"k":{"t":%s,"T":%s,"s":"%s","i":"%s","f":-1,"L":-1,"o":"%s","c":"%s","h":"%s","l":"%s","v":"%s","n":%s,"x":true,"q":"%s","V":"%s","Q":"%s","B":"0"}}}`,
			string(f[0])+h.zeros, at, h.symbol, h.kind, f[1], f[4], f[2], f[3], f[5], f[8], f[7], f[9], f[10])
	}
	h.frame = b
}

func (h *History) event() string {
	if h.trades() {
		return h.kind
	}
	return "kline"
}

func (h *History) bad(got string, args ...any) error {
	return fmt.Errorf("cannot import %s: line %d has "+got, append([]any{h.name, h.line}, args...)...)
}

// Close closes the file.
func (h *History) Close() error {
	var errs []error
	for _, c := range h.c {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
