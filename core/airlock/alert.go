package airlock

import "riposte/core"

// Ratio is a relative number at 1e-8: a basis point is 10000.
type Ratio int64

// Bp is one basis point.
const Bp Ratio = core.Scale / 10_000

// Of is the ratio of a to b, less one: how far a lies from b. It is held at the largest
// Ratio where it does not fit, and where b is not above 0.
func Of(a, b core.Price) Ratio {
	if b <= 0 {
		return most
	}
	if a >= b {
		return part(a-b, b)
	}
	return -part(b-a, b)
}

const most = Ratio(1<<63 - 1)

// part is a/b for a and b not below 0.
func part(a, b core.Price) Ratio {
	return Ratio(core.NotionalOf(a, core.Scale).Div(uint64(b)))
}

// TextMost is how long a text of an alert may be; what is longer loses its end.
const TextMost = 63

// Text is a short text that points nowhere, so that it can cross a ring.
type Text struct {
	n uint8
	b [TextMost]byte
}

// MakeText copies s, up to TextMost bytes of it.
func MakeText[T ~string | ~[]byte](s T) (t Text) {
	t.n = uint8(copy(t.b[:], s))
	return t
}

// Bytes is the text, valid as long as t.
func (t *Text) Bytes() []byte { return t.b[:t.n] }

func (t *Text) String() string { return string(t.Bytes()) }

// Alert is one signal from outside as the intake read it. It crosses a ring by value.
type Alert struct {
	Source     uint16 // by the configuration's order, from 1
	Instrument core.InstrumentID
	Side       core.Side
	Failed     Gate // of the intake's, None if it let the alert in
	Price      core.Price
	Strength   Ratio // 0 to 1
	Horizon    core.MonoNs
	Issued     core.WallNs // by its own word
	Recv       core.MonoNs // when its last byte had been read
	ID         Text        // by its own word, or made of its bytes
	Symbol     Text        // as it was told
	Why        Text        // what the intake found wrong
}
