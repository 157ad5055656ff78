package binance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// Bounds of RSA keys (Binance Spot API docs, 2026-07-21).
const (
	rsaBitsMin = 2048
	rsaBitsMax = 4096
)

// rsaSigner is RSASSA-PKCS1-v1_5 with SHA-256, base64. It allocates and takes a
// millisecond or more: the venue takes such keys, none should be chosen for trading.
type rsaSigner struct{ state func() *rsa.PrivateKey }

// newRSA checks a key by its size, its own consistency and one signature.
func newRSA(k *rsa.PrivateKey) error {
	if n := k.N.BitLen(); n < rsaBitsMin || n > rsaBitsMax {
		return fmt.Errorf("cannot use RSA key: found %d bits, want %d to %d", n, rsaBitsMin, rsaBitsMax)
	}
	if err := k.Validate(); err != nil {
		return fmt.Errorf("cannot use RSA key: its numbers do not fit each other")
	}
	k.Precompute()
	sum := sha256.Sum256(nil)
	if _, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:]); err != nil {
		return fmt.Errorf("cannot use RSA key: it does not sign")
	}
	return nil
}

func (r *rsaSigner) sign(payload []byte) []byte {
	sum := sha256.Sum256(payload)
	sig, err := rsa.SignPKCS1v15(nil, r.state(), crypto.SHA256, sum[:])
	if err != nil {
		// It signed when it was loaded, so it has been wiped since: what a wiped signer
		// signs is nonsense.
		sig = make([]byte, r.state().Size())
	}
	return sig
}

// AppendREST appends the base64 signature, percent-encoded.
func (r *rsaSigner) AppendREST(dst, payload []byte) []byte {
	return appendEscaped(dst, base64.StdEncoding.AppendEncode(nil, r.sign(payload)))
}

// AppendWS appends the base64 signature as it is.
func (r *rsaSigner) AppendWS(dst, payload []byte) []byte {
	return base64.StdEncoding.AppendEncode(dst, r.sign(payload))
}

// Most is a signature of which every character needs escaping.
func (r *rsaSigner) Most() int { return 3 * base64.StdEncoding.EncodedLen(r.state().Size()) }

// Wipe does nothing: the numbers are the key's, which wipes them for all its signers.
func (r *rsaSigner) Wipe() {}

// wipeRSA overwrites the numbers that can be reached; crypto/rsa has copies of its own.
func wipeRSA(k *rsa.PrivateKey) {
	numbers := append([]*big.Int{k.D, k.Precomputed.Dp, k.Precomputed.Dq, k.Precomputed.Qinv}, k.Primes...)
	for _, n := range numbers {
		if n != nil {
			clear(n.Bits())
		}
	}
}
