package binance

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"riposte/core"
)

// Limits of one market stream connection (Binance Spot API docs, WebSocket
// streams, 2026-07-21): at most 5 messages a second from the client, PING, PONG
// and JSON all counted; at most 1024 streams; 24 hours of life.
const (
	MessagesPerSecond   = 5
	StreamsPerConn      = 1024
	StreamsPerSubscribe = 200 // ours: keeps a SUBSCRIBE under 8 KiB
)

// Stream is a stream's name: symbol in lower case, @, type.
type Stream string

// NewStream is the stream of that type ("depth@100ms", "bookTicker", "trade",
// "kline_1m", ...) of a symbol.
func NewStream(symbol, kind string) Stream {
	return Stream(strings.ToLower(symbol) + "@" + kind)
}

// Symbol is the part before the first @, in lower case.
func (s Stream) Symbol() string {
	sym, _, _ := strings.Cut(string(s), "@")
	return sym
}

// Kind is the part behind the first @.
func (s Stream) Kind() string {
	_, kind, _ := strings.Cut(string(s), "@")
	return kind
}

// Check refuses a name that cannot be one.
func (s Stream) Check() error {
	sym, kind, ok := strings.Cut(string(s), "@")
	if !ok || kind == "" || (sym == "" && !strings.HasPrefix(kind, "arr")) || strings.ContainsAny(string(s), "\"\\/ ") {
		return fmt.Errorf("cannot use stream %q: want <symbol>@<type>", string(s))
	}
	if sym != strings.ToLower(sym) && !strings.HasPrefix(sym, "!") {
		return fmt.Errorf("cannot use stream %q: symbol must be lower case", string(s))
	}
	return nil
}

// Depth reports whether the stream carries changes of the book, whose loss makes
// the book stale.
func (s Stream) Depth() bool {
	k := s.Kind()
	return k == "depth" || strings.HasPrefix(k, "depth@")
}

// StreamURL is the address of a combined socket on base ("wss://host:9443"), to
// be subscribed by messages, with times in unit. Milliseconds are the default
// and not asked for, because the futures venues know nothing else.
func StreamURL(base string, unit core.TimeUnit) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("cannot use stream address: %w", err)
	}
	if (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
		return "", fmt.Errorf("cannot use stream address %q: want ws:// or wss:// and a host", base)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/stream"
	if unit == core.Microseconds {
		q := u.Query()
		q.Set("timeUnit", "MICROSECOND")
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

// AppendSubscribe appends the SUBSCRIBE request for some streams.
func AppendSubscribe[S ~string](dst []byte, id int64, streams []S) []byte {
	return appendRequest(dst, "SUBSCRIBE", id, streams)
}

// AppendUnsubscribe appends the UNSUBSCRIBE request for some streams.
func AppendUnsubscribe[S ~string](dst []byte, id int64, streams []S) []byte {
	return appendRequest(dst, "UNSUBSCRIBE", id, streams)
}

func appendRequest[S ~string](dst []byte, method string, id int64, streams []S) []byte {
	dst = append(dst, `{"method":"`...)
	dst = append(dst, method...)
	dst = append(dst, `","params":[`...)
	for i, s := range streams {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, s...)
		dst = append(dst, '"')
	}
	dst = append(dst, `],"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, '}')
}

// AppendSubscribe makes a Decoder a session's codec.
func (d *Decoder) AppendSubscribe(dst []byte, id int64, streams []string) []byte {
	return AppendSubscribe(dst, id, streams)
}

// AppendUnsubscribe likewise.
func (d *Decoder) AppendUnsubscribe(dst []byte, id int64, streams []string) []byte {
	return AppendUnsubscribe(dst, id, streams)
}

// AppendList appends the request for the streams that the server has in force.
func (d *Decoder) AppendList(dst []byte, id int64) []byte {
	dst = append(dst, `{"method":"LIST_SUBSCRIPTIONS","id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, '}')
}
