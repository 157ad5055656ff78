package binance

import (
	"strconv"

	"riposte/core"
)

// Params is the payload of a cold request: name=value pairs, values encoded as
// they are added, in the order in which they are added.
type Params struct{ b []byte }

// Text adds a value that may hold any character. An empty one is left out.
func (p *Params) Text(name, value string) *Params {
	if value == "" {
		return p
	}
	p.name(name)
	p.b = appendEscaped(p.b, value)
	return p
}

// Int adds a number.
func (p *Params) Int(name string, v int64) *Params {
	p.name(name)
	p.b = strconv.AppendInt(p.b, v, 10)
	return p
}

// Decimal adds a price or quantity at 1e-8.
func (p *Params) Decimal(name string, v int64) *Params {
	p.name(name)
	p.b = core.AppendDecimal(p.b, v)
	return p
}

// DecimalIf adds a price or quantity at 1e-8 unless it is 0.
func (p *Params) DecimalIf(name string, v int64) *Params {
	if v != 0 {
		p.Decimal(name, v)
	}
	return p
}

// IntIf adds a number unless it is 0.
func (p *Params) IntIf(name string, v int64) *Params {
	if v != 0 {
		p.Int(name, v)
	}
	return p
}

// Time adds an instant in milliseconds unless it is 0.
func (p *Params) Time(name string, t core.WallNs) *Params { return p.IntIf(name, int64(t)/1e6) }

func (p *Params) name(n string) {
	if len(p.b) > 0 {
		p.b = append(p.b, '&')
	}
	p.b = append(append(p.b, n...), '=')
}

// signedQuery adds recvWindow and timestamp to p, signs, and returns the query to
// send. The same bytes are signed and sent.
func signedQuery(p *Params, s Signer, window string, now core.WallNs) []byte {
	p.Text("recvWindow", window)
	p.name("timestamp")
	return appendSigned(s, strconv.AppendUint(p.b, stampOf(now), 10), 0)
}
