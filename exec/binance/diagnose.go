package binance

import (
	"fmt"
	"time"
)

// KeyFacts is what is known at the moment when the venue refuses a call for its key.
type KeyFacts struct {
	Environment string        // "testnet"
	Host        string        // of the service that refused
	Where       string        // where the key was loaded from
	Worked      bool          // the venue has taken a call signed with it, in this run
	Rights      *Restrictions // what it may do, if that could be asked just now; else nil
	Clock       time.Duration // how far this host's clock is from the venue's
	ClockError  time.Duration // and how sure that is
}

// Refusal reports whether a venue's code is about the key, its signature or its time:
// those that Diagnose knows.
func Refusal(code int) bool { return keyRefused(code) || code == -1021 }

// apiKeyLength is that of the API keys that the venue gives out.
const apiKeyLength = 64

// Diagnose turns the venue's refusal of a key, which names several possible causes in
// one text or none, into the one that fits what is known here, and what to do about it.
// One line, nothing of the key in it.
func (k *Key) Diagnose(code int, f KeyFacts) string {
	switch code {
	case -1021:
		return fmt.Sprintf("the clock: this host is %v off the venue's time, measured to within %v; set it right (chrony or NTP)", f.Clock.Round(time.Millisecond), f.ClockError.Round(time.Millisecond))
	case -2014:
		n, odd := len(k.api.bytes()), k.oddAPIKey()
		if n != apiKeyLength || odd > 0 {
			return fmt.Sprintf("the API key in %s was copied wrong: it has %d characters, %d of them neither letter nor digit, want %d letters and digits", f.Where, n, odd, apiKeyLength)
		}
		return "something between here and " + f.Host + " changes the API key's header: it is well-formed where it leaves; look for a proxy"
	case -2008:
		return fmt.Sprintf("wrong environment: %s (%s) does not know this API key; use one that was made for %s, or make a new one if it was deleted", f.Environment, f.Host, f.Environment)
	case -1022:
		switch {
		case f.Worked:
			return "a changed request: this key has signed calls that were taken, so what was refused is not what was signed; look for a proxy that rewrites requests, and report it otherwise"
		case k.kind == KeyHMAC:
			return fmt.Sprintf("wrong key type or secret: the secret in %s does not belong to its API key, or that is one of an Ed25519 or RSA key, which is signed for with the private key", f.Where)
		}
		return fmt.Sprintf("wrong key type or private key: the API key in %s was not given out for the public half of its %s key; register that half and put its API key there", f.Where, k.kind)
	}
	switch {
	case f.Rights != nil && !f.Rights.Has(flagSpot):
		return "a missing right: the key may not trade on the spot market; give it " + flagSpot
	case f.Rights != nil && !f.Rights.Has(flagRead):
		return "a missing right: the key may not read; give it " + flagRead
	case f.Rights != nil:
		return "a missing right: the key is known here and comes from an address it may come from, but may not make this call; compare its rights with riposte keys check"
	case f.Worked:
		return "the address: this key worked before and now not even its rights can be asked; it was deleted, or this host's address is no longer on its list"
	}
	return fmt.Sprintf("wrong environment: %s (%s) has never taken a call with this key; it must have been made for %s, and this host's address must be on its list", f.Environment, f.Host, f.Environment)
}

// oddAPIKey is how many characters of the API key cannot be of one.
func (k *Key) oddAPIKey() (n int) {
	for _, c := range k.api.bytes() {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			n++
		}
	}
	return n
}
