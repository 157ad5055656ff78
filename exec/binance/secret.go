package binance

import (
	"fmt"
	"io"
	"log/slog"
)

// mark is all that any formatting of a secret shows.
const mark = "[secret]"

// Secret is bytes that must not be printed. Every way fmt, encoding, log/slog and
// errors have of turning it into text gives a fixed mark. Inside it is a function:
// fmt looks into unexported fields without asking methods, and with a wrong verb
// (%s of a struct) even follows pointers, but a function prints as an address.
type Secret struct{ get func() *[]byte }

// NewSecret takes a copy of b.
func NewSecret[T ~string | ~[]byte](b T) Secret {
	c := []byte(b)
	return Secret{func() *[]byte { return &c }}
}

// Empty reports whether there is nothing in it.
func (s Secret) Empty() bool { return len(s.bytes()) == 0 }

// Wipe overwrites the bytes; all copies of s are empty afterwards.
func (s Secret) Wipe() {
	if s.get != nil {
		p := s.get()
		clear(*p)
		*p = nil
	}
}

func (s Secret) bytes() []byte {
	if s.get == nil {
		return nil
	}
	return *s.get()
}

// String is the mark.
func (s Secret) String() string { return mark }

// GoString is the mark.
func (s Secret) GoString() string { return mark }

// Format writes the mark for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mark) }

// MarshalText is the mark.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mark), nil }

// MarshalJSON is the mark as a string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mark + `"`), nil }

// LogValue is the mark.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mark) }
