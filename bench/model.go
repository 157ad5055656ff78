package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"riposte/core"
	"riposte/core/book"
	dialect "riposte/exec/binance"
)

// TestAPIKey and TestSecret are the keys of every benchmark: the example of Binance's
// own documentation of request signing (Binance Spot API docs, 2026-07-21), worth
// nothing.
const (
	TestAPIKey = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
	TestSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
)

// TestKeyFile is the same as the text of a key file.
const TestKeyFile = "# example key of the documentation, worth nothing\napi_key = \"" + TestAPIKey + "\"\nsecret = \"" + TestSecret + "\"\n"

// TestKey is the key that benchmarks sign with.
func TestKey() (*dialect.Key, error) { return dialect.NewHMACKey(TestAPIKey, TestSecret) }

// CheckBook compares a book at the end of a corpus with the reference.
func CheckBook(s *book.Sync, w Want) error {
	b, live := s.Live()
	if !live {
		return fmt.Errorf("it is %v, want live", s.State())
	}
	sum := sha256.Sum256(b.AppendCanonical(nil))
	if got := hex.EncodeToString(sum[:]); got != w.Final || b.ID() != w.LastU {
		return fmt.Errorf("it is %s at update id %d, want %s at %d", got, b.ID(), w.Final, w.LastU)
	}
	return nil
}

// Bids is the slow and obvious answer to what reflex does with a corpus of one
// symbol: the best bid at each change while the book is live. It shares no code
// with the engine but the number parser: encoding/json, maps for books, a scan for
// the best.
func Bids(c *Corpus) ([]core.Price, error) {
	m := model{futures: c.Market != core.Spot}
	var held [][]byte
	for i := range c.Lines {
		l := &c.Lines[i]
		switch {
		case l.Image != nil:
			m.load(l.Image)
			for _, f := range held {
				if err := m.frame(f); err != nil {
					return nil, err
				}
			}
			held = nil
		case !m.loaded:
			held = append(held, l.Frame)
		default:
			if err := m.frame(l.Frame); err != nil {
				return nil, err
			}
		}
	}
	return m.out, nil
}

type model struct {
	futures       bool
	loaded, live  bool
	bids          map[core.Price]bool
	best          core.Price
	id, touchID   uint64
	touch, lastly core.Price
	out           []core.Price
}

func (m *model) load(im *book.Image) {
	m.loaded, m.id, m.bids = true, im.LastID, map[core.Price]bool{}
	for _, l := range im.Bids {
		m.bids[l.Price] = true
	}
	m.best = im.Bids[0].Price
}

func (m *model) frame(b []byte) error {
	// A frame's keys differ in case only ("u" and "U"), which encoding/json does
	// not tell apart in structs.
	var f struct {
		Stream string
		Data   map[string]json.RawMessage
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	kind := "bookTicker"
	if e := f.Data["e"]; e != nil {
		if err := json.Unmarshal(e, &kind); err != nil {
			return err
		}
	}
	switch kind {
	case "bookTicker":
		id, err := number(f.Data["u"])
		if err != nil {
			return err
		}
		var text string
		if err := json.Unmarshal(f.Data["b"], &text); err != nil {
			return err
		}
		p, err := core.ParsePrice(text)
		if err != nil {
			return err
		}
		if id > m.touchID {
			m.touchID, m.touch = id, p
		}
	case "depthUpdate":
		if err := m.depth(f.Data); err != nil {
			return err
		}
	}
	if m.live {
		m.act()
	}
	return nil
}

// depth applies an event that is not older than the snapshot; that the corpus has
// no gaps is known from its reference.
func (m *model) depth(d map[string]json.RawMessage) error {
	u, err := number(d["u"])
	if err != nil {
		return err
	}
	m.live = true
	if u < m.id || u == m.id && !m.futures {
		return nil
	}
	var bids [][2]string
	if err := json.Unmarshal(d["b"], &bids); err != nil {
		return err
	}
	for _, l := range bids {
		p, err := core.ParsePrice(l[0])
		if err != nil {
			return err
		}
		q, err := core.ParseQty(l[1])
		if err != nil {
			return err
		}
		if q != 0 {
			m.bids[p] = true
			m.best = max(m.best, p)
		} else {
			delete(m.bids, p)
		}
	}
	if !m.bids[m.best] {
		m.best = 0
		for p := range m.bids {
			m.best = max(m.best, p)
		}
	}
	m.id = u
	return nil
}

func (m *model) act() {
	top := m.best
	if m.touchID > m.id {
		top = m.touch
	}
	if top != m.lastly && top != 0 {
		m.lastly = top
		m.out = append(m.out, top)
	}
}

func number(raw json.RawMessage) (n uint64, err error) {
	err = json.Unmarshal(raw, &n)
	return n, err
}
