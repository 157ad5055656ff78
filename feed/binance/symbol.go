package binance

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"riposte/core"
)

// Symbols finds instruments by the two spellings the venue uses: upper case in
// payloads ("BTCUSDT"), lower case in stream names ("btcusdt"). Symbols may be
// UTF-8 (Binance Spot API change log, 2025-12-02). It is built once and then
// only read, by any number of decoders; a lookup does not allocate.
type Symbols struct {
	mask     uint64
	bySymbol []symbolSlot
	byStream []symbolSlot
	fields   []string // per instrument, `"s":"BTCUSDT",`: compared as one piece
}

// symbolSlot is one place of an open-addressed table; an empty key is a free one.
type symbolSlot struct {
	hash uint64
	key  string
	id   core.InstrumentID
}

// NewSymbols indexes every instrument of t.
func NewSymbols(t *core.Instruments) (*Symbols, error) {
	size := 16
	for size < 4*len(t.List) {
		size *= 2
	}
	s := &Symbols{
		mask:     uint64(size - 1),
		bySymbol: make([]symbolSlot, size),
		byStream: make([]symbolSlot, size),
		fields:   make([]string, len(t.List)),
	}
	for i := range t.List {
		in := &t.List[i]
		if strings.ContainsFunc(in.Symbol, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == '@' }) {
			return nil, fmt.Errorf("cannot index symbol %q: it holds a quote, a backslash, an @ or a control character", in.Symbol)
		}
		s.add(s.bySymbol, in.Symbol, in.ID)
		stream := strings.ToLower(in.Symbol)
		if id := s.find(s.byStream, []byte(stream)); id != core.NoInstrument {
			return nil, fmt.Errorf("cannot index symbol %q: %q has the same stream name", in.Symbol, t.List[id].Symbol)
		}
		s.add(s.byStream, stream, in.ID)
		s.fields[in.ID] = `"s":"` + in.Symbol + `",`
	}
	return s, nil
}

func (s *Symbols) add(table []symbolSlot, key string, id core.InstrumentID) {
	h := xxhash.Sum64String(key)
	i := h & s.mask
	for table[i].key != "" {
		i = (i + 1) & s.mask
	}
	table[i] = symbolSlot{h, key, id}
}

func (s *Symbols) find(table []symbolSlot, key []byte) core.InstrumentID {
	h := xxhash.Sum64(key)
	for i := h & s.mask; ; i = (i + 1) & s.mask {
		e := &table[i&uint64(len(table)-1)]
		if e.hash == h && e.key == string(key) {
			if e.key == "" {
				return core.NoInstrument
			}
			return e.id
		}
		if e.key == "" {
			return core.NoInstrument
		}
	}
}

// Lookup finds an instrument by the symbol of a payload, NoInstrument if it is
// not in the table.
func (s *Symbols) Lookup(symbol []byte) core.InstrumentID { return s.find(s.bySymbol, symbol) }

// LookupStream finds an instrument by the part of a stream name before its @.
func (s *Symbols) LookupStream(name []byte) core.InstrumentID { return s.find(s.byStream, name) }

// Count is how many instruments are indexed; their ids are 0 to Count-1.
func (s *Symbols) Count() int { return len(s.fields) }

// Name is the symbol of an instrument of the table.
func (s *Symbols) Name(id core.InstrumentID) string {
	f := s.fields[id]
	return f[len(`"s":"`) : len(f)-len(`",`)]
}
