package binance

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// apiKeyPlaceholder stands in a new key file until its owner has registered the public
// half and got the API key for it.
const apiKeyPlaceholder = "PASTE-THE-API-KEY-HERE"

// GenerateKeyFile makes a key pair, writes the private half into a new key file of mode
// 0600, and returns the public half as it is registered with the venue. bits is of RSA
// keys. A file that exists is never overwritten.
func GenerateKeyFile(path string, kind KeyKind, bits int) (publicPEM string, err error) {
	private, public, err := generate(kind, bits)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("cannot encode the private key: %w", err)
	}
	defer clear(der)
	text := fmt.Appendf(nil, "# %s key of riposte. Register the public half with the venue, then put the API key here:\napi_key = %q\n", kind, apiKeyPlaceholder)
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(block)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("cannot write the key file: %w", err)
	}
	_, werr := f.Write(text)
	_, berr := f.Write(block)
	if err := errors.Join(werr, berr, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("cannot write the key file: %w", err)
	}
	if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
		return "", fmt.Errorf("cannot encode the public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

func generate(kind KeyKind, bits int) (private, public any, err error) {
	switch kind {
	case KeyEd25519:
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		return priv, pub, err
	case KeyRSA:
		if bits < rsaBitsMin || bits > rsaBitsMax {
			return nil, nil, fmt.Errorf("cannot make an RSA key: found %d bits, want %d to %d", bits, rsaBitsMin, rsaBitsMax)
		}
		priv, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot make an RSA key: %w", err)
		}
		return priv, &priv.PublicKey, nil
	}
	return nil, nil, errors.New("cannot make an HMAC key: the venue makes those and shows the secret once")
}
