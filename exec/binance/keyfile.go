package binance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// A key file holds one key. It is text:
//
//	# comment
//	api_key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
//	secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
//
// or, with an Ed25519 key, a PKCS#8 PEM block in place of the secret line:
//
//	api_key = "..."
//	-----BEGIN PRIVATE KEY-----
//	MC4CAQAwBQYDK2VwBCIEI...
//	-----END PRIVATE KEY-----
//
// Values stand between double quotes and hold no quote and no backslash. A name
// that is not known or stands twice is an error. The file must be a regular file
// of our own user with mode 0600 or 0400.
const keyFileMax = 16 << 10

// LoadKeyFile reads a key from a file; see above for the format and what the file
// must be. Errors name the file and the line and never show a value.
func LoadKeyFile(path string) (*Key, error) {
	f, err := openKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot load key file %s: %w", path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, keyFileMax+1))
	if err != nil {
		return nil, fmt.Errorf("cannot load key file %s: %w", path, err)
	}
	defer clear(text)
	if len(text) > keyFileMax {
		return nil, fmt.Errorf("cannot load key file %s: it has more than %d bytes", path, keyFileMax)
	}
	k, err := ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("cannot load key file %s: %w", path, err)
	}
	return k, nil
}

// LoadKeyEnv reads a HMAC key from two environment variables and removes them from
// the environment. Only for setups that asked for it: a file is safer.
func LoadKeyEnv(apiKeyVar, secretVar string) (*Key, error) {
	api, secret := os.Getenv(apiKeyVar), os.Getenv(secretVar)
	for _, v := range []string{apiKeyVar, secretVar} {
		if os.Getenv(v) == "" {
			return nil, fmt.Errorf("cannot load key from environment: %s is not set", v)
		}
	}
	for _, v := range []string{apiKeyVar, secretVar} {
		if err := os.Unsetenv(v); err != nil {
			return nil, fmt.Errorf("cannot load key from environment: cannot remove %s: %w", v, err)
		}
	}
	return NewHMACKey(api, secret)
}

// ParseKey reads the text of a key file.
func ParseKey(text []byte) (*Key, error) {
	var api, secret string
	var block *pem.Block
	line := 0
	for len(text) > 0 {
		line++
		row, rest, _ := bytes.Cut(text, []byte("\n"))
		row = bytes.TrimSpace(row)
		switch {
		case bytes.HasPrefix(row, []byte("-----BEGIN ")):
			if block != nil {
				return nil, fmt.Errorf("line %d: found a second PEM block, want one", line)
			}
			if block, rest = pem.Decode(text); block == nil {
				return nil, fmt.Errorf("line %d: found a PEM block that cannot be read", line)
			}
			line += bytes.Count(text[:len(text)-len(rest)], []byte("\n")) - 1
		case len(row) == 0 || row[0] == '#':
		default:
			name, value, err := parseKeyLine(row)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
			at := map[string]*string{"api_key": &api, "secret": &secret}[name]
			if at == nil {
				return nil, fmt.Errorf("line %d: found a name that is not known, want api_key or secret", line)
			}
			if *at != "" {
				return nil, fmt.Errorf("line %d: found %s a second time", line, name)
			}
			*at = value
		}
		text = rest
	}
	switch {
	case api == "":
		return nil, errors.New(`found no api_key, want a line api_key = "..."`)
	case block != nil && secret != "":
		return nil, errors.New("found a secret and a PEM block, want one of them")
	case block != nil:
		private, err := parsePrivate(block)
		if err != nil {
			return nil, err
		}
		return NewEd25519Key(api, private)
	case secret == "":
		return nil, errors.New(`found neither secret nor PEM block, want a line secret = "..." or an Ed25519 private key`)
	}
	return NewHMACKey(api, secret)
}

func parseKeyLine(row []byte) (name, value string, err error) {
	n, v, ok := bytes.Cut(row, []byte("="))
	if !ok {
		return "", "", errors.New(`found no "=", want name = "value"`)
	}
	v = bytes.TrimSpace(v)
	if len(v) < 3 || v[0] != '"' || v[len(v)-1] != '"' || bytes.ContainsAny(v[1:len(v)-1], `"\`) {
		return "", "", errors.New("value is empty or not between two double quotes")
	}
	return strings.TrimSpace(string(n)), string(v[1 : len(v)-1]), nil
}

func parsePrivate(b *pem.Block) (ed25519.PrivateKey, error) {
	if b.Type != "PRIVATE KEY" {
		return nil, errors.New("found a PEM block of another type, want PRIVATE KEY (PKCS#8, not encrypted)")
	}
	any, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, errors.New("found a PEM block that is not PKCS#8")
	}
	switch k := any.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		return nil, errors.New("found an RSA key, want Ed25519")
	}
	return nil, errors.New("found a key of another algorithm, want Ed25519")
}
