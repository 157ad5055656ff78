package binance

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// Signer signs payloads. The payload of REST is the percent-encoded query and body
// without a separator, of the WebSocket API the sorted raw parameters. One
// goroutine per Signer.
type Signer interface {
	// AppendREST appends the signature as REST wants it, ready for a query.
	AppendREST(dst, payload []byte) []byte
	// AppendWS appends the signature as the WebSocket API wants it, raw.
	AppendWS(dst, payload []byte) []byte
	// Most is the most bytes that AppendREST appends.
	Most() int
	// Wipe overwrites what can sign; signatures are nonsense from then on.
	Wipe()
}

// KeyKind is the algorithm of a key.
type KeyKind uint8

// The kinds of key (Binance Spot API docs, 2026-07-21).
const (
	KeyHMAC    KeyKind = iota // HMAC-SHA256; the venue calls it deprecated
	KeyEd25519                // the recommended kind, the only one for session.logon
	KeyRSA                    // PKCS#1 v1.5 with SHA-256, 2048 to 4096 bits
)

var kindNames = [...]string{"HMAC", "Ed25519", "RSA"}

func (k KeyKind) String() string { return kindNames[k] }

// Key is an API key with its secret half. Any goroutine.
type Key struct {
	kind    KeyKind
	api     Secret
	secret  Secret                 // HMAC: the ASCII secret; Ed25519: the 32-byte seed
	numbers func() *rsa.PrivateKey // RSA; behind a function as in Secret
	public  any                    // of Ed25519 and RSA
}

// NewHMACKey makes a key of the kind that Binance calls HMAC: two strings.
func NewHMACKey[T ~string | ~[]byte](apiKey, secret T) (*Key, error) {
	if err := checkToken("API key", apiKey); err != nil {
		return nil, err
	}
	if err := checkToken("secret", secret); err != nil {
		return nil, err
	}
	return &Key{kind: KeyHMAC, api: NewSecret(apiKey), secret: NewSecret(secret)}, nil
}

// NewEd25519Key makes a key from an API key and a private key: its seed of 32 bytes, or
// that and the public half as crypto/ed25519 has it.
func NewEd25519Key[T ~string | ~[]byte](apiKey T, private ed25519.PrivateKey) (*Key, error) {
	if err := checkToken("API key", apiKey); err != nil {
		return nil, err
	}
	if n := len(private); n != ed25519.SeedSize && n != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("cannot use Ed25519 key: found %d bytes, want %d or %d", n, ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	signer, err := newEd(private[:ed25519.SeedSize])
	if err != nil {
		return nil, fmt.Errorf("cannot use Ed25519 key: %w", err)
	}
	defer signer.Wipe()
	public := append(ed25519.PublicKey(nil), signer.state().public[:]...)
	return &Key{kind: KeyEd25519, api: NewSecret(apiKey), secret: NewSecret(private[:ed25519.SeedSize]), public: public}, nil
}

// NewRSAKey makes a key from an API key and a private key, which it takes over: Wipe
// overwrites its numbers.
func NewRSAKey[T ~string | ~[]byte](apiKey T, private *rsa.PrivateKey) (*Key, error) {
	if err := checkToken("API key", apiKey); err != nil {
		return nil, err
	}
	if err := newRSA(private); err != nil {
		return nil, err
	}
	return &Key{kind: KeyRSA, api: NewSecret(apiKey), numbers: func() *rsa.PrivateKey { return private }, public: &private.PublicKey}, nil
}

// checkToken refuses what would break a header or a signature, without showing it.
func checkToken[T ~string | ~[]byte](what string, s T) error {
	if len(s) == 0 || len(s) > 512 {
		return fmt.Errorf("cannot use %s: it has %d characters, want 1 to 512", what, len(s))
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return fmt.Errorf("cannot use %s: character %d is a blank, a control or not ASCII", what, i+1)
		}
	}
	return nil
}

// Fingerprint tells keys apart without showing anything of them: 16 hex digits of the
// API key's SHA-256.
func (k *Key) Fingerprint() string {
	sum := sha256.Sum256(k.api.bytes())
	return hex.EncodeToString(sum[:8])
}

// Kind is the key's algorithm.
func (k *Key) Kind() KeyKind { return k.kind }

// Same reports whether k and other have one API key, of which the venue keeps the rights.
func (k *Key) Same(other *Key) bool { return string(k.api.bytes()) == string(other.api.bytes()) }

// PublicPEM is the public half, as it is registered with the venue.
func (k *Key) PublicPEM() (string, error) {
	if k.public == nil {
		return "", errors.New("an HMAC key has no public half")
	}
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return "", fmt.Errorf("cannot encode the public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// Wipe overwrites the key's bytes. Signers made from it keep working and are wiped on
// their own, but those of an RSA key, whose numbers they share.
func (k *Key) Wipe() {
	k.api.Wipe()
	k.secret.Wipe()
	if k.numbers != nil {
		wipeRSA(k.numbers())
	}
}

// String names the kind and nothing else.
func (k *Key) String() string { return k.kind.String() + " key " + mark }

// Signer makes a signer for one goroutine.
func (k *Key) Signer() Signer {
	switch k.kind {
	case KeyEd25519:
		s, err := newEd(k.secret.bytes())
		if err != nil { // wiped: sign nonsense, as any wiped signer does
			s, _ = newEd(make([]byte, edSize))
		}
		return s
	case KeyRSA:
		return &rsaSigner{k.numbers}
	}
	return newHMAC(k.secret.bytes())
}

// appendEscaped percent-encodes a value: everything but the unreserved characters
// of RFC 3986, upper-case hex. Since 2026-01-15 it is the encoded bytes that are
// signed.
func appendEscaped[T ~string | ~[]byte](dst []byte, s T) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// appendSigned appends "&signature=..." to a request whose payload begins at from.
// What it returns is what is sent; nothing may touch it in between.
func appendSigned(s Signer, b []byte, from int) []byte {
	end := len(b)
	b = append(b, "&signature="...)
	return s.AppendREST(b, b[from:end])
}
