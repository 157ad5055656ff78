package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	execbinance "riposte/exec/binance"
)

// KeysConfig is [keys].
type KeysConfig struct {
	Credential      string   `toml:"credential"`
	FromEnvironment bool     `toml:"from_environment"`
	Products        []string `toml:"products"`
	Strict          bool     `toml:"strict"`
	CheckEvery      duration `toml:"check_every"`
}

func (c *KeysConfig) check() error {
	errs := []error{span("keys.check_every", c.CheckEvery, time.Second, 24*time.Hour)}
	if c.Credential == "" || c.Credential != filepath.Base(c.Credential) {
		errs = append(errs, want("keys.credential", fmt.Sprintf("%q", c.Credential), "the plain name of a credential"))
	}
	for _, p := range c.Products {
		errs = append(errs, oneOf("keys.products", p, execbinance.Products()...))
	}
	return errors.Join(errs...)
}

// credentialsDir is the folder of the service manager's credentials, empty without one.
func credentialsDir() string { return os.Getenv("CREDENTIALS_DIRECTORY") }

// brought reports whether a key may come from elsewhere than a key file.
func (c *KeysConfig) brought() bool { return c.FromEnvironment || credentialsDir() != "" }

// source is where the key of an environment of the venue's may come from.
func (c *KeysConfig) source(file string) execbinance.KeySource {
	return execbinance.KeySource{Credentials: credentialsDir(), Credential: c.Credential, File: file, Environment: c.FromEnvironment}
}

// strict reports whether a key with more rights than it needs is refused. What is
// practised with play money may be careless, unless it is told not to be; nothing makes
// the others careless.
func (c *Config) strict() bool {
	return c.Keys.Strict || c.Venue.Environment != "sim" && c.Venue.Environment != "testnet"
}

// secretName finds names of keys that sound like a secret, where a configuration gives
// them a value. Names that end in _file are of files and not of what is in them.
var secretName = regexp.MustCompile(`(?i)(?:^|[\s{,.])["']?([a-z0-9_-]*(?:secret|api[_-]?key|private[_-]?key|passphrase|password|token)[a-z0-9_-]*)["']?\s*=`)

// refuseSecrets looks for secrets in a configuration before anything else does, since
// every other complaint shows the line it is about. It never shows a value.
func refuseSecrets(name string, text []byte) error {
	line := 0
	for row := range strings.Lines(string(text)) {
		line++
		row = strings.TrimSpace(row)
		if strings.HasPrefix(row, "#") {
			continue
		}
		found := ""
		if strings.Contains(row, "-----BEGIN") {
			found = "a PEM block"
		}
		for _, m := range secretName.FindAllStringSubmatch(row, -1) {
			if !strings.HasSuffix(strings.ToLower(m[1]), "_file") {
				found = m[1]
			}
		}
		if found != "" {
			return fmt.Errorf("cannot use %s: line %d has %s; secrets do not belong here, want them in a key file of mode 0600 that venue.key_file names, or in a credential", name, line, found)
		}
	}
	return nil
}

// hardenProcess keeps others from looking into this process and its memory from being
// written out when it dies. Warnings say what this machine refused.
func hardenProcess() (warnings []string) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		warnings = append(warnings, fmt.Sprintf("other processes of this user can look into the key's memory: cannot forbid it (prctl): %v", err))
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		warnings = append(warnings, fmt.Sprintf("a crash may write a core dump: cannot set its limit to 0 (setrlimit): %v", err))
	}
	return warnings
}

// loadKey takes the contact's key from the first place that has one.
func (c *contact) loadKey(cfg *Config, embedded bool) (err error) {
	source := cfg.Keys.source(c.sites.keyFile)
	if embedded || c.ownFile {
		source = execbinance.KeySource{File: c.sites.keyFile}
	}
	if c.key, c.where, err = execbinance.LoadKey(source); err != nil {
		return usageError{err}
	}
	c.cautions = slices.Concat(c.cautions, execbinance.MemoryWarnings())
	return nil
}
