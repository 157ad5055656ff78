package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"riposte/core"
	"riposte/core/airlock"
)

// Kind is how a source shows that a message is its.
type Kind uint8

// The kinds. Signed binds each message to its time and its bytes. A token only shows that
// the sender knows it: whoever has read one message can send others, and whoever is on the
// way can change them, so it is the weaker form, for senders that cannot sign.
const (
	Unsigned  Kind = iota // of a connection that we have opened, and whose server is known
	Signed                // HMAC-SHA256 over timestamp and body
	PathToken             // the last part of the URL's path
	BodyToken             // the field Token of the message
)

// Auth is how a source's messages are told from others'.
type Auth struct {
	Kind   Kind
	Secret []byte
	Prefix string // before the signature's hexadecimal digits, such as "sha256="
	Joint  string // between timestamp and body, signed with them
	Format string // of the timestamp, as Mapping.TimeFormat but not rfc3339
}

// Proof is what came with a message beside its bytes.
type Proof struct {
	Signature, Timestamp string
	Token                string // of the path
}

func forged(text string) *fault { return &fault{gate: airlock.Authenticity, text: text} }

// signature checks a signed message; window is how far its time may lie from now.
func (a *Auth) signature(body []byte, p *Proof, now, window core.WallNs) *fault {
	if p.Signature == "" || p.Timestamp == "" {
		return forged("is not signed")
	}
	digits, ok := strings.CutPrefix(p.Signature, a.Prefix)
	got, err := hex.DecodeString(digits)
	if !ok || err != nil || len(got) != sha256.Size {
		return forged("has a signature that is none")
	}
	// Nothing but digits: where the joint is empty the body must not be able to lend the
	// timestamp its first bytes.
	at, f := readTime([]byte(p.Timestamp), a.Format, "timestamp")
	if f != nil {
		return forged("has a timestamp that is none")
	}
	mac := hmac.New(sha256.New, a.Secret)
	mac.Write([]byte(p.Timestamp))
	mac.Write([]byte(a.Joint))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), got) {
		return forged("has a wrong signature")
	}
	if at < now-window || at > now+window {
		return &fault{airlock.Replay, "timestamp", "lies outside the window"}
	}
	return nil
}

// token compares in a time that depends on neither text.
func (a *Auth) token(got []byte) *fault {
	have, want := sha256.Sum256(got), sha256.Sum256(a.Secret)
	if subtle.ConstantTimeCompare(have[:], want[:]) != 1 {
		return forged("has no or a wrong token")
	}
	return nil
}
