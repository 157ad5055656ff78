package venue

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
)

// KeyKind names a signature scheme.
type KeyKind string

// The three schemes of the venue (Binance Spot API docs, 2026-07-21). Only Ed25519 keys may log a session on.
const (
	HMAC    KeyKind = "HMAC"
	RSA     KeyKind = "RSA"
	Ed25519 KeyKind = "ED25519"
)

// Key is one API key of an account. An HMAC key needs Secret; RSA and Ed25519 keys need PublicPEM (PKIX) and carry
// PrivatePEM (PKCS#8) only so that a test client can be handed a complete key.
type Key struct {
	APIKey     string  `json:"apiKey"`
	Kind       KeyKind `json:"kind"`
	Secret     string  `json:"secret,omitempty"`
	PublicPEM  string  `json:"publicKey,omitempty"`
	PrivatePEM string  `json:"privateKey,omitempty"`
	// ReadOnly keys may query but not place or cancel.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Rights are what the key may do; nil is TradingRights.
	Rights *Rights `json:"rights,omitempty"`
	// Account is filled in by the server: the name of the account the key belongs to.
	Account string `json:"account,omitempty"`
}

const keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func keyText(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = keyAlphabet[r.IntN(len(keyAlphabet))]
	}
	return string(b)
}

// NewHMACKey makes a 64-character key and secret that depend on seed and name only. It protects nothing: the venue is
// a test instrument.
func NewHMACKey(seed uint64, name string) Key {
	r := keySource(seed, "hmac:"+name)
	return Key{APIKey: keyText(r, 64), Kind: HMAC, Secret: keyText(r, 64)}
}

// NewEd25519Key makes an Ed25519 key pair that depends on seed and name only.
func NewEd25519Key(seed uint64, name string) (Key, error) {
	r := keySource(seed, "ed25519:"+name)
	k := Key{APIKey: keyText(r, 64), Kind: Ed25519}
	raw := make([]byte, ed25519.SeedSize)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	priv := ed25519.NewKeyFromSeed(raw)
	return k.withPair(priv, priv.Public())
}

// NewRSAKey makes a fresh 2048-bit RSA key; the key text depends on seed and name, the pair does not.
func NewRSAKey(seed uint64, name string) (Key, error) {
	r := keySource(seed, "rsa:"+name)
	k := Key{APIKey: keyText(r, 64), Kind: RSA}
	priv, err := rsa.GenerateKey(crand.Reader, 2048)
	if err != nil {
		return Key{}, fmt.Errorf("cannot make an RSA key: %w", err)
	}
	return k.withPair(priv, priv.Public())
}

func keySource(seed uint64, name string) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", seed, name))
	return rand.New(rand.NewChaCha8(sum))
}

func (k Key) withPair(priv, pub any) (Key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return Key{}, fmt.Errorf("cannot encode the private key: %w", err)
	}
	k.PrivatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	der, err = x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return Key{}, fmt.Errorf("cannot encode the public key: %w", err)
	}
	k.PublicPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return k, nil
}

// WriteKeys writes all keys of the venue, secrets included, as a JSON array to path with mode 0600.
func (s *Server) WriteKeys(path string) error {
	b, err := json.MarshalIndent(s.Keys(), "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode the keys: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("cannot write the keys: %w", err)
	}
	return nil
}

// verifier is a key made ready to check signatures.
type verifier struct {
	Key
	account int
	secret  []byte
	rsa     *rsa.PublicKey
	ed      ed25519.PublicKey
}

func newVerifier(k Key, account int) (*verifier, error) {
	v := &verifier{Key: k, account: account}
	if k.APIKey == "" {
		return nil, fmt.Errorf("cannot use a %s key: got an empty apiKey, want a non-empty text", k.Kind)
	}
	switch k.Kind {
	case HMAC:
		if k.Secret == "" {
			return nil, fmt.Errorf("cannot use HMAC key %q: got an empty secret, want a non-empty text", k.APIKey)
		}
		v.secret = []byte(k.Secret)
		return v, nil
	case RSA, Ed25519:
	default:
		return nil, fmt.Errorf("cannot use key %q: got kind %q, want HMAC, RSA or ED25519", k.APIKey, k.Kind)
	}
	block, _ := pem.Decode([]byte(k.PublicPEM))
	if block == nil {
		return nil, fmt.Errorf("cannot use %s key %q: got no PEM block in publicKey, want PUBLIC KEY", k.Kind, k.APIKey)
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s key %q: %w", k.Kind, k.APIKey, err)
	}
	switch p := pub.(type) {
	case *rsa.PublicKey:
		v.rsa = p
	case ed25519.PublicKey:
		v.ed = p
	}
	if (k.Kind == RSA) != (v.rsa != nil) || (k.Kind == Ed25519) != (v.ed != nil) {
		return nil, fmt.Errorf("cannot use key %q: got a %T, want kind %s", k.APIKey, pub, k.Kind)
	}
	return v, nil
}

// verify checks signature (as decoded from the request: hex for HMAC in any case, base64 otherwise) over payload.
// A payload with a byte above 0x7f is refused when encoded is true: REST payloads are signed percent-encoded.
func (v *verifier) verify(payload []byte, signature string, encoded bool) *apiError {
	if encoded {
		for _, c := range payload {
			if c >= 0x80 {
				return errSignature()
			}
		}
	}
	if v.Kind == HMAC {
		if !isHex64(signature) {
			return errIllegal("signature", "^[A-Fa-f0-9]{64}$")
		}
		var got [sha256.Size]byte
		if _, err := hex.Decode(got[:], []byte(signature)); err != nil {
			return errSignature()
		}
		mac := hmac.New(sha256.New, v.secret)
		mac.Write(payload)
		if !hmac.Equal(mac.Sum(nil), got[:]) {
			return errSignature()
		}
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return errSignature()
	}
	if v.ed != nil {
		if !ed25519.Verify(v.ed, payload, raw) {
			return errSignature()
		}
		return nil
	}
	sum := sha256.Sum256(payload)
	if rsa.VerifyPKCS1v15(v.rsa, crypto.SHA256, sum[:], raw) != nil {
		return errSignature()
	}
	return nil
}

func isHex64(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
