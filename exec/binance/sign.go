package binance

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// Signer signs payloads. The payload of REST is the percent-encoded query and body
// without a separator, of the WebSocket API the sorted raw parameters. One
// goroutine per Signer. RSA keys will be a third implementation.
type Signer interface {
	// AppendREST appends the signature as REST wants it, ready for a query.
	AppendREST(dst, payload []byte) []byte
	// AppendWS appends the signature as the WebSocket API wants it, raw.
	AppendWS(dst, payload []byte) []byte
}

// KeyKind is the algorithm of a key.
type KeyKind uint8

// The kinds of key.
const (
	KeyHMAC KeyKind = iota
	KeyEd25519
)

func (k KeyKind) String() string {
	if k == KeyEd25519 {
		return "Ed25519"
	}
	return "HMAC"
}

// Key is an API key with its secret half. Any goroutine.
type Key struct {
	kind   KeyKind
	api    Secret
	secret Secret // HMAC: the ASCII secret; Ed25519: the 32-byte seed
}

// NewHMACKey makes a key of the kind that Binance calls HMAC: two strings.
func NewHMACKey(apiKey, secret string) (*Key, error) {
	if err := checkToken("API key", apiKey); err != nil {
		return nil, err
	}
	if err := checkToken("secret", secret); err != nil {
		return nil, err
	}
	return &Key{KeyHMAC, NewSecret(apiKey), NewSecret(secret)}, nil
}

// NewEd25519Key makes a key from an API key and a private key of 64 bytes.
func NewEd25519Key(apiKey string, private ed25519.PrivateKey) (*Key, error) {
	if err := checkToken("API key", apiKey); err != nil {
		return nil, err
	}
	if len(private) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("cannot use Ed25519 key: found %d bytes, want %d", len(private), ed25519.PrivateKeySize)
	}
	return &Key{KeyEd25519, NewSecret(apiKey), NewSecret(private.Seed())}, nil
}

// checkToken refuses what would break a header or a signature, without showing it.
func checkToken(what, s string) error {
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

// Wipe overwrites the key's bytes; signers made from it before keep working.
func (k *Key) Wipe() {
	k.api.Wipe()
	k.secret.Wipe()
}

// String names the kind and nothing else.
func (k *Key) String() string { return k.kind.String() + " key " + mark }

// Signer makes a signer for one goroutine.
func (k *Key) Signer() Signer {
	if k.kind == KeyEd25519 {
		s := &edState{private: ed25519.NewKeyFromSeed(k.secret.bytes())}
		return &edSigner{func() *edState { return s }}
	}
	return newHMAC(k.secret.bytes())
}

// edSigner is pure Ed25519, base64. It allocates; its cost is in the curve.
type edSigner struct{ state func() *edState }

type edState struct {
	private ed25519.PrivateKey
	text    [ed25519Digits]byte
}

const ed25519Digits = 88

func (e *edSigner) sign(payload []byte) []byte {
	s := e.state()
	base64.StdEncoding.Encode(s.text[:], ed25519.Sign(s.private, payload))
	return s.text[:]
}

// AppendREST appends the base64 signature, percent-encoded.
func (e *edSigner) AppendREST(dst, payload []byte) []byte {
	return appendEscaped(dst, e.sign(payload))
}

// AppendWS appends the base64 signature as it is.
func (e *edSigner) AppendWS(dst, payload []byte) []byte { return append(dst, e.sign(payload)...) }

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
