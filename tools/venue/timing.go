package venue

import (
	"strconv"
	"strings"
)

// Bounds of the time rules (Binance Spot API docs, 2026-07-21), in µs.
const (
	defaultRecvWindow = 5000 * 1000
	maxRecvWindow     = 60000 * 1000
	aheadLimit        = 1000 * 1000
	firstTimestamp    = 1483228800000 * 1000 // 2017-01-01
	microsFrom        = 100_000_000_000_000  // values from here on are µs, below are ms
)

const (
	textOutside = "Timestamp for this request is outside of the recvWindow."
	textAhead   = "Timestamp for this request was 1000ms ahead of the server's time."
)

// stamp is a signed request's own clock reading and how long it stays good, both in µs.
type stamp struct {
	at     int64
	window int64
}

// readStamp takes timestamp (ms or µs by magnitude) and recvWindow (decimal ms, up to 3 decimals) from p.
func readStamp(p *params) (stamp, *apiError) {
	text, ok := p.get("timestamp")
	if !ok || text == "" {
		return stamp{}, errMandatory("timestamp")
	}
	at, err := parseInstant("timestamp", text)
	if err != nil {
		return stamp{}, err
	}
	st := stamp{at: at, window: defaultRecvWindow}
	if text, ok = p.get("recvWindow"); ok {
		if st.window, err = parseRecvWindow(text); err != nil {
			return stamp{}, err
		}
	}
	return st, nil
}

// parseInstant reads a request time in ms or µs and returns µs.
func parseInstant(name, text string) (int64, *apiError) {
	if text == "" {
		return 0, errMandatory(name)
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, errIllegal(name, "^[0-9]{1,20}$")
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, bad(-1108, "Parameter '%s' overflowed.", name)
	}
	if v < microsFrom {
		v *= 1000
	}
	return v, nil
}

// parseRecvWindow reads decimal milliseconds into µs. The code for a value above 60000 is not documented today; -1131
// is what the venue announced in 2019.
func parseRecvWindow(text string) (int64, *apiError) {
	whole, frac, _ := strings.Cut(text, ".")
	if whole == "" || len(frac) > 3 || strings.HasSuffix(text, ".") {
		return 0, errIllegal("recvWindow", `^[0-9]{1,5}(\.[0-9]{1,3})?$`)
	}
	digits := whole + frac + "000"[len(frac):]
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, errIllegal("recvWindow", `^[0-9]{1,5}(\.[0-9]{1,3})?$`)
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v > maxRecvWindow {
		return 0, bad(-1131, "recvWindow must be less than 60000")
	}
	return v, nil
}

// onReceipt is check 1: not more than a second ahead, not older than the window. A refusal costs weight but no order
// count.
func (st stamp) onReceipt(now int64) *apiError {
	if st.at >= now+aheadLimit {
		return bad(-1021, textAhead)
	}
	if st.at < firstTimestamp || now-st.at > st.window {
		return bad(-1021, textOutside)
	}
	return nil
}

// later is check 2 (before forwarding) and check 3 (before the engine): age only.
func (st stamp) later(now int64) *apiError {
	if now-st.at > st.window {
		return bad(-1021, textOutside)
	}
	return nil
}
