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
// (%s of a struct) even follows pointers, but a function prints as an address. The
// bytes lie in the vault.
type Secret struct{ get func() *held }

// held is a secret's slot and how much of it is used, 0 once it is wiped.
type held struct {
	*slot
	n int
}

// NewSecret takes a copy of b, of at most 1 KiB.
func NewSecret[T ~string | ~[]byte](b T) Secret {
	h := &held{take(len(b)), len(b)}
	copy(h.b, b)
	return Secret{func() *held { return h }}
}

// Empty reports whether there is nothing in it.
func (s Secret) Empty() bool { return len(s.bytes()) == 0 }

// Wipe overwrites the bytes; all copies of s are empty afterwards.
func (s Secret) Wipe() {
	if s.get != nil {
		h := s.get()
		h.wipe()
		h.n = 0
	}
}

// bytes are the secret itself; they are valid while s is.
func (s Secret) bytes() []byte {
	if s.get == nil {
		return nil
	}
	h := s.get()
	return h.b[:h.n]
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
