package venue

import (
	"net/url"
	"strings"
)

// param is one request parameter. value is percent-decoded on REST; on the WS API it is the JSON text of the value as
// it was sent, a string without its quotes.
type param struct {
	name  string
	value string
}

// params holds a request's parameters in the order they were sent. It belongs to one request.
type params struct {
	list []param
}

func (p *params) get(name string) (string, bool) {
	for i := range p.list {
		if p.list[i].name == name {
			return p.list[i].value, true
		}
	}
	return "", false
}

func (p *params) has(name string) bool {
	_, ok := p.get(name)
	return ok
}

// parseForm appends the pairs of one query string or form body. A name that stands in the list already with a
// position below limit came from the query, and the query wins (Binance Spot API docs, 2026-07-21); a name twice in
// the same half is a -1101.
func (p *params) parseForm(raw string) *apiError {
	limit := len(p.list)
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			return errIllegal(k, `^[a-zA-Z]+$`)
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return errIllegal(name, `percent-encoded UTF-8`)
		}
		inQuery := false
		for i := range p.list {
			if p.list[i].name != name {
				continue
			}
			if i >= limit {
				return errDuplicate()
			}
			inQuery = true
		}
		if !inQuery {
			p.list = append(p.list, param{name: name, value: value})
		}
	}
	return nil
}

// cutSignature removes the pair `signature=...` from one half (query or body) together with the one '&' that joins
// it to its neighbours, and returns the rest exactly as sent, the raw value, and whether it was there.
func cutSignature(half string) (rest, value string, ok bool) {
	const key = "signature="
	at := 0
	for at < len(half) {
		end := strings.IndexByte(half[at:], '&')
		if end < 0 {
			end = len(half)
		} else {
			end += at
		}
		if strings.HasPrefix(half[at:end], key) {
			value = half[at+len(key) : end]
			switch {
			case at > 0:
				return half[:at-1] + half[end:], value, true
			case end < len(half):
				return half[end+1:], value, true
			default:
				return "", value, true
			}
		}
		at = end + 1
	}
	return half, "", false
}

// signedPayload is what a REST signature covers: the query immediately followed by the body, no separator, without the
// signature pair (Binance Spot API docs, 2026-07-21).
func signedPayload(query, body string) (payload, signature string, ok bool) {
	q, sig, inQuery := cutSignature(query)
	b, bsig, inBody := cutSignature(body)
	if !inQuery {
		sig = bsig
	}
	return q + b, sig, inQuery || inBody
}
