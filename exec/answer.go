package exec

import (
	"bytes"
	"time"
)

// AnswerReader assembles one HTTP/1.1 answer from bytes as they come, any cut. It
// is strict: what two readers could take differently (RFC 9112) is refused, and a
// refused answer makes its request unknown, never refused. Nothing is allocated
// after NewAnswerReader. One goroutine.
//
// Use: read into Space(), call Advance with the number of bytes; when it reports
// true, Answer() holds until Reset().
type AnswerReader struct {
	buf     []byte
	n       int // bytes received
	scan    int // bytes looked at
	line    int // start of the current line (head, chunk sizes, trailers)
	state   readState
	out     int // end of the body decoded so far (chunked)
	left    int // bytes still due of the body or chunk
	headMax int
	length  int // Content-Length, -1 if not given
	chunked bool
	old     bool // HTTP/1.0
	interim int
	keep    string // lower-case prefix of the header names to keep
	answer  Answer
}

// Answer is one HTTP answer. Its slices point into the reader.
type Answer struct {
	Status     int
	JSON       bool // Content-Type is application/json
	Close      bool // the server will close the connection
	RetryAfter time.Duration
	Body       []byte
	extra      [8]header
	extras     int
}

type header struct{ name, value []byte }

// Header is the value of a kept header (lower-case name), nil if absent.
func (a *Answer) Header(name string) []byte {
	for i := range a.extra[:a.extras] {
		if string(a.extra[i].name) == name {
			return a.extra[i].value
		}
	}
	return nil
}

// EachHeader calls f with every kept header; names are lower case.
func (a *Answer) EachHeader(f func(name, value []byte)) {
	for i := range a.extra[:a.extras] {
		f(a.extra[i].name, a.extra[i].value)
	}
}

// Headers is the number of kept headers, HeaderAt one of them. They serve where
// a closure would allocate.
func (a *Answer) Headers() int { return a.extras }

// HeaderAt is the kept header number i; see Headers.
func (a *Answer) HeaderAt(i int) (name, value []byte) { return a.extra[i].name, a.extra[i].value }

// AnswerError is why bytes are not an answer, a one-byte error.
type AnswerError uint8

// The ways an answer can be unreadable.
const (
	AnswerOK AnswerError = iota
	AnswerStatusLine
	AnswerHeader
	AnswerLength // Content-Length malformed, contradictory, or no length at all
	AnswerChunk
	AnswerTooLong
	AnswerJunk // bytes after its end
)

var answerText = [...]string{"ok", "malformed status line", "malformed header", "length malformed, contradictory or missing", "malformed chunk", "longer than its buffer", "bytes after the end"}

func (e AnswerError) Error() string { return "cannot read answer: " + answerText[e] }

type readState uint8

const (
	inStatus readState = iota
	inHeaders
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailers
	inDone
)

const interimMax = 4 // 1xx answers accepted before the final one

// NewAnswerReader reads answers of at most size bytes, headMax of them head.
// Headers whose lower-case name begins with keep are handed out in the answer.
func NewAnswerReader(size, headMax int, keep string) *AnswerReader {
	r := &AnswerReader{buf: make([]byte, size), headMax: headMax, keep: keep}
	r.Reset()
	return r
}

// Reset makes the reader ready for the next answer; the last one is no longer valid.
func (r *AnswerReader) Reset() {
	r.n, r.scan, r.line, r.state, r.out, r.left = 0, 0, 0, inStatus, 0, 0
	r.interim = 0
	r.clearHead()
}

func (r *AnswerReader) clearHead() {
	r.length, r.chunked = -1, false
	a := &r.answer // its extra headers count only as far as extras says
	a.Status, a.JSON, a.Close, a.RetryAfter, a.Body, a.extras = 0, false, false, 0, nil, 0
}

// Space is where to read next bytes to. It is empty only when the answer is too
// long, which the last Advance has then reported.
func (r *AnswerReader) Space() []byte { return r.buf[r.n:] }

// Started reports whether any byte of the answer has come.
func (r *AnswerReader) Started() bool { return r.n > 0 }

// Answer is the answer just completed. Valid until Reset.
func (r *AnswerReader) Answer() *Answer { return &r.answer }

// Advance takes note of n more bytes in Space. It reports true when the answer is
// complete. After an error the connection is of no further use.
func (r *AnswerReader) Advance(n int) (bool, AnswerError) {
	r.n += n
	for {
		switch r.state {
		case inBody:
			if r.n-r.scan < r.left {
				return r.more()
			}
			r.scan += r.left
			r.answer.Body = r.buf[r.scan-r.left : r.scan]
			r.state = inDone
		case inChunk:
			// The body is closed up in place: it always ends before what is read.
			k := min(r.left, r.n-r.scan)
			copy(r.buf[r.out:], r.buf[r.scan:r.scan+k])
			r.out, r.scan, r.left = r.out+k, r.scan+k, r.left-k
			if r.left > 0 {
				return r.more()
			}
			r.state = inChunkEnd
		case inChunkEnd:
			if r.n-r.scan < 2 {
				return r.more()
			}
			if r.buf[r.scan] != '\r' || r.buf[r.scan+1] != '\n' {
				return false, AnswerChunk
			}
			r.scan += 2
			r.line = r.scan
			r.state = inChunkSize
		case inDone:
			if r.n > r.scan {
				return false, AnswerJunk
			}
			return true, AnswerOK
		default:
			line, ok, err := r.nextLine()
			if !ok {
				if err == AnswerOK {
					return r.more()
				}
				return false, err
			}
			if err = r.takeLine(line); err != AnswerOK {
				return false, err
			}
		}
	}
}

// more asks for bytes, or gives up when there is no room for any.
func (r *AnswerReader) more() (bool, AnswerError) {
	if r.n == len(r.buf) {
		return false, AnswerTooLong
	}
	return false, AnswerOK
}

// nextLine is the next line without its CRLF. A bare LF, or a CR without LF, is
// malformed. Lines are searched by vector, not read byte by byte: an answer comes while
// the market goes on.
func (r *AnswerReader) nextLine() (line []byte, ok bool, err AnswerError) {
	part := r.buf[r.scan:r.n]
	end := bytes.IndexByte(part, '\n')
	if end >= 0 {
		part = part[:end]
	}
	limit := r.headMax // the first place where a line may not be any more
	if r.state > inHeaders {
		limit += r.line
	}
	if bad := r.misplaced(part); bad >= 0 && r.scan+bad <= limit {
		return nil, false, r.lineError()
	}
	if r.scan+len(part) > limit {
		return nil, false, AnswerTooLong
	}
	if end < 0 {
		r.scan = r.n
		return nil, false, AnswerOK
	}
	at := r.scan + end
	if at == r.line || r.buf[at-1] != '\r' {
		return nil, false, r.lineError()
	}
	line = r.buf[r.line : at-1]
	r.scan = at + 1
	r.line = r.scan
	return line, true, AnswerOK
}

// misplaced is the first byte of a line's next part that cannot stand there, -1 if all
// can: a zero, or anything but LF behind a CR.
func (r *AnswerReader) misplaced(part []byte) int {
	if len(part) > 0 && r.scan > r.line && r.buf[r.scan-1] == '\r' {
		return 0
	}
	bad := bytes.IndexByte(part, 0)
	if cr := bytes.IndexByte(part, '\r'); cr >= 0 && cr < len(part)-1 && (bad < 0 || cr+1 < bad) {
		bad = cr + 1
	}
	return bad
}

func (r *AnswerReader) lineError() AnswerError {
	switch r.state {
	case inStatus:
		return AnswerStatusLine
	case inChunkSize:
		return AnswerChunk
	}
	return AnswerHeader
}

func (r *AnswerReader) takeLine(line []byte) AnswerError {
	switch r.state {
	case inStatus:
		return r.takeStatus(line)
	case inHeaders:
		if len(line) == 0 {
			return r.endHead()
		}
		return r.takeHeader(line)
	case inChunkSize:
		return r.takeChunkSize(line)
	}
	if len(line) == 0 { // trailers: read past, never used
		r.answer.Body = r.buf[r.bodyStart():r.out]
		r.state = inDone
	}
	return AnswerOK
}

// bodyStart of a chunked answer is kept in length, which it does not use.
func (r *AnswerReader) bodyStart() int { return r.length }

func (r *AnswerReader) takeStatus(line []byte) AnswerError {
	// "HTTP/1.1 200" with an optional " text".
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' || (line[7] != '0' && line[7] != '1') ||
		(len(line) > 12 && line[12] != ' ') {
		return AnswerStatusLine
	}
	code := 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return AnswerStatusLine
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 {
		return AnswerStatusLine
	}
	r.answer.Status = code
	r.old = line[7] == '0'
	r.answer.Close = r.old
	r.state = inHeaders
	return AnswerOK
}

func (r *AnswerReader) takeHeader(line []byte) AnswerError {
	colon := 0
	for ; colon < len(line) && line[colon] != ':'; colon++ {
		c := line[colon]
		if c <= ' ' || c >= 0x7f { // also refuses folded lines
			return AnswerHeader
		}
		if c >= 'A' && c <= 'Z' {
			line[colon] = c + ('a' - 'A')
		}
	}
	if colon == 0 || colon == len(line) {
		return AnswerHeader
	}
	name, value := line[:colon], trimBlank(line[colon+1:])
	switch string(name) {
	case "content-length":
		n, ok := parseDigits(value)
		if !ok || (r.length >= 0 && r.length != n) {
			return AnswerLength
		}
		r.length = n
	case "transfer-encoding":
		if r.chunked || !equalFold(value, "chunked") {
			return AnswerLength
		}
		r.chunked = true
	case "connection":
		if equalFold(value, "close") {
			r.answer.Close = true
		}
	case "content-type":
		const want = "application/json"
		r.answer.JSON = len(value) >= len(want) && equalFold(value[:len(want)], want) &&
			(len(value) == len(want) || value[len(want)] == ';' || value[len(want)] == ' ')
	case "retry-after":
		// A date instead of seconds is legal HTTP; the venue documents seconds.
		if n, ok := parseDigits(value); ok && n < 1<<31 {
			r.answer.RetryAfter = time.Duration(n) * time.Second
		}
	default:
		if r.keep != "" && len(name) >= len(r.keep) && string(name[:len(r.keep)]) == r.keep && r.answer.extras < len(r.answer.extra) {
			r.answer.extra[r.answer.extras] = header{name, value}
			r.answer.extras++
		}
	}
	return AnswerOK
}

// endHead decides how the body is delimited.
func (r *AnswerReader) endHead() AnswerError {
	if r.chunked && (r.length >= 0 || r.old) {
		return AnswerLength // RFC 9112 6.1: readers disagree on such framing
	}
	switch s := r.answer.Status; {
	case s == 101:
		return AnswerStatusLine // nobody asked for another protocol
	case s < 200:
		if r.interim++; r.interim > interimMax || r.chunked || r.length > 0 {
			return AnswerStatusLine
		}
		r.clearHead()
		r.state = inStatus
	case s == 204 || s == 304:
		r.state = inDone
	case r.chunked:
		r.out, r.length = r.scan, r.scan
		r.state = inChunkSize
	case r.length < 0:
		// A body that ends with the connection cannot be told from a cut one.
		return AnswerLength
	default:
		r.left = r.length
		r.state = inBody
		if r.left > len(r.buf)-r.scan {
			return AnswerTooLong
		}
	}
	return AnswerOK
}

func (r *AnswerReader) takeChunkSize(line []byte) AnswerError {
	n, digits := 0, 0
	for _, c := range line {
		var d int
		switch {
		case c >= '0' && c <= '9':
			d = int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = int(c|0x20-'a') + 10
		case digits > 0 && (c == ';' || c == ' ' || c == '\t'):
			d = -1 // an extension: legal, means nothing to us
		default:
			return AnswerChunk
		}
		if d < 0 {
			break
		}
		if digits++; digits > 8 {
			return AnswerTooLong
		}
		n = n<<4 | d
	}
	if digits == 0 {
		return AnswerChunk
	}
	if n == 0 {
		r.state = inTrailers
		return AnswerOK
	}
	if n > len(r.buf)-r.scan {
		return AnswerTooLong
	}
	r.left = n
	r.state = inChunk
	return AnswerOK
}

func trimBlank(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

func parseDigits(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
