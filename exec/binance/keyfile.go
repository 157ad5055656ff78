package binance

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
)

// A key file holds one key. It is text:
//
//	# comment
//	api_key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
//	secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
//
// or, with an Ed25519 or RSA key, a PKCS#8 PEM block in place of the secret line:
//
//	api_key = "..."
//	-----BEGIN PRIVATE KEY-----
//	MC4CAQAwBQYDK2VwBCIEI...
//	-----END PRIVATE KEY-----
//
// Values stand between double quotes and hold no quote and no backslash. A name
// that is not known or stands twice is an error. The file must be a regular file
// of our own user with mode 0600 or 0400, in a folder that others cannot write to. It
// is read into the vault and taken apart there: of an Ed25519 key or a secret nothing
// touches the heap.
const keyFileMax = 16 << 10

// LoadKeyFile reads a key from a file; see above for the format and what the file
// must be. Errors name the file and the line and never show a value.
func LoadKeyFile(path string) (*Key, error) { return loadKey("key file", path, ours) }

func loadKey(what, path string, whose ownership) (k *Key, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot load %s %s: %w", what, path, err)
		}
	}()
	f, err := openKeyFile(path, whose)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = scratch(keyFileMax+1, func(text []byte) error {
		n, err := io.ReadFull(f, text)
		switch {
		case err == nil:
			return fmt.Errorf("it has more than %d bytes", keyFileMax)
		case !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
			return err
		}
		k, err = ParseKey(text[:n])
		return err
	})
	return k, err
}

// KeySource says where a key may come from. The first place that has one is taken.
type KeySource struct {
	Credentials string // folder of the service manager's credentials, "": none
	Credential  string // the key's name in it
	File        string // key file, "": none
	Environment bool   // whether EnvAPIKey and EnvSecret may be asked
}

// The variables of the environment that may hold a key.
const (
	EnvAPIKey = "RIPOSTE_API_KEY"
	EnvSecret = "RIPOSTE_SECRET" // of an Ed25519 or RSA key: its PEM block
)

// LoadKey looks for a key in the order of KeySource and says where it was.
func LoadKey(s KeySource) (k *Key, where string, err error) {
	if s.Credentials != "" {
		path := s.Credentials + "/" + s.Credential
		_, err := os.Lstat(path)
		if err == nil {
			k, err = loadKey("credential", path, managers)
			return k, "credential " + path, err
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, "", fmt.Errorf("cannot load credential %s: %w", path, err)
		}
	}
	if s.File != "" {
		k, err = LoadKeyFile(s.File)
		return k, "key file " + s.File, err
	}
	if s.Environment {
		k, err = LoadKeyEnv(EnvAPIKey, EnvSecret)
		return k, "environment", err
	}
	return nil, "", errors.New("cannot load a key: found no credential, no key file and no leave to ask the environment")
}

// LoadKeyEnv reads a key from two environment variables and removes them from the
// environment, so that no child and no later reader has them. What the process was
// started with stays in /proc/PID/environ for its own user: a file is safer.
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
	k, err := keyOfEnv(api, secret)
	if err != nil {
		return nil, fmt.Errorf("cannot load key from environment: %w", err)
	}
	return k, nil
}

func keyOfEnv(api, secret string) (*Key, error) {
	if text := []byte(secret); bytes.HasPrefix(text, pemBegin) {
		k, err := parsePEM([]byte(api), text)
		clear(text)
		return k, err
	}
	return NewHMACKey(api, secret)
}

// ParseKey reads the text of a key file. Nothing points into it afterwards.
func ParseKey(text []byte) (*Key, error) {
	var api, secret, block []byte
	line, blockLine := 0, 0
	for len(text) > 0 {
		line++
		row, rest, _ := bytes.Cut(text, []byte("\n"))
		row = bytes.TrimSpace(row)
		switch {
		case bytes.HasPrefix(row, pemBegin):
			if block != nil {
				return nil, fmt.Errorf("line %d: found a second PEM block, want one", line)
			}
			_, end, ok := cutPEM(text)
			if !ok {
				return nil, fmt.Errorf("line %d: found a PEM block that cannot be read", line)
			}
			block, rest, blockLine = text[:len(text)-len(end)], end, line
			line += bytes.Count(block, []byte("\n")) - 1
		case len(row) == 0 || row[0] == '#':
		default:
			name, value, err := parseKeyLine(row)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
			at := map[string]*[]byte{"api_key": &api, "secret": &secret}[string(name)]
			if at == nil {
				return nil, fmt.Errorf("line %d: found a name that is not known, want api_key or secret", line)
			}
			if *at != nil {
				return nil, fmt.Errorf("line %d: found %s a second time", line, name)
			}
			*at = value
		}
		text = rest
	}
	switch {
	case api == nil:
		return nil, errors.New(`found no api_key, want a line api_key = "..."`)
	case string(api) == apiKeyPlaceholder:
		return nil, errors.New("found the placeholder of keys gen as api_key, want the API key that the venue gave out for the public key")
	case block != nil && secret != nil:
		return nil, errors.New("found a secret and a PEM block, want one of them")
	case block != nil:
		k, err := parsePEM(api, block)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", blockLine, err)
		}
		return k, nil
	case secret == nil:
		return nil, errors.New(`found neither secret nor PEM block, want a line secret = "..." or a private key`)
	}
	return NewHMACKey(api, secret)
}

func parseKeyLine(row []byte) (name, value []byte, err error) {
	n, v, ok := bytes.Cut(row, []byte("="))
	if !ok {
		return nil, nil, errors.New(`found no "=", want name = "value"`)
	}
	v = bytes.TrimSpace(v)
	if len(v) < 3 || v[0] != '"' || v[len(v)-1] != '"' || bytes.ContainsAny(v[1:len(v)-1], `"\`) {
		return nil, nil, errors.New("value is empty or not between two double quotes")
	}
	return bytes.TrimSpace(n), v[1 : len(v)-1], nil
}

// encoding/pem decodes onto the heap, so the few rules that matter are here.
var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
	pemDash  = []byte("-----")
)

// cutPEM splits text, which begins with a PEM block, into the base64 of that and what
// follows its last line.
func cutPEM(text []byte) (body, rest []byte, ok bool) {
	_, after, ok := bytes.Cut(text, []byte("\n"))
	at := bytes.Index(after, pemEnd)
	if !ok || at < 0 {
		return nil, nil, false
	}
	_, rest, _ = bytes.Cut(after[at:], []byte("\n"))
	return after[:at], rest, true
}

// parsePEM makes a key of a PEM block that text begins with.
func parsePEM(api, text []byte) (k *Key, err error) {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	name := bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(head), pemBegin), pemDash)
	if string(name) != "PRIVATE KEY" {
		return nil, errors.New("found a PEM block of another type, want PRIVATE KEY (PKCS#8, not encrypted)")
	}
	body, _, ok := cutPEM(text)
	if !ok {
		return nil, errors.New("found a PEM block that cannot be read")
	}
	err = scratch(len(body)+3, func(der []byte) error {
		n, derr := base64.StdEncoding.Decode(der, body) // skips line ends
		if derr != nil {
			return errors.New("found a PEM block that cannot be read")
		}
		k, err = parseDER(api, der[:n])
		return err
	})
	return k, err
}

// edDER stands before the seed in every Ed25519 key (RFC 8410 section 7), after the
// outer header and the version.
var edDER = []byte("\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20")

// parseDER reads PKCS#8.
func parseDER(api, der []byte) (*Key, error) {
	const version = 5 // where what follows the version begins, in a key of less than 128 bytes
	if len(der) >= version+len(edDER)+edSize && der[0] == 0x30 && int(der[1]) == len(der)-2 &&
		der[2] == 2 && der[3] == 1 && der[4] <= 1 && bytes.HasPrefix(der[version:], edDER) {
		at := version + len(edDER)
		return NewEd25519Key(api, der[at:at+edSize])
	}
	// crypto/x509 makes copies on the heap, as it cannot be helped with RSA.
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("found a PEM block that is not PKCS#8")
	}
	if k, ok := private.(*rsa.PrivateKey); ok {
		return NewRSAKey(api, k)
	}
	return nil, errors.New("found a key of another algorithm, want Ed25519 or RSA")
}

// LoadSecret reads a secret that is no key of the venue's, of at most 1 KiB, from the first
// place that has one; the file must be what a key file must be. Whoever has it wipes it.
func LoadSecret(s KeySource) (secret []byte, err error) {
	path, whose, what := s.File, ours, "secret file"
	if s.Credentials != "" && s.Credential != "" {
		if p := s.Credentials + "/" + s.Credential; fileThere(p) {
			path, whose, what = p, managers, "credential"
		}
	}
	if path == "" {
		return nil, errors.New("cannot load a secret: found no credential and no file")
	}
	f, err := openKeyFile(path, whose)
	if err != nil {
		return nil, fmt.Errorf("cannot load %s %s: %w", what, path, err)
	}
	defer f.Close()
	secret = make([]byte, secretMax+1)
	n, err := io.ReadFull(f, secret)
	if err == nil || n == 0 {
		return nil, fmt.Errorf("cannot load %s %s: want 1 to %d bytes", what, path, secretMax)
	}
	return secret[:n], nil
}

const secretMax = 1 << 10

func fileThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
