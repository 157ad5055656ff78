package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"riposte/core"
	execbinance "riposte/exec/binance"
)

type keysCmd struct {
	Gen   keysGenCmd   `cmd:"" help:"Make a key pair: the private half into a key file, the public half to register with the venue."`
	Check keysCheckCmd `cmd:"" help:"Load the key as run would and show what it may do; exit 1 if nothing may trade with it."`
}

type keysGenCmd struct {
	Type string `enum:"ed25519,rsa,hmac-note" default:"ed25519" help:"Kind of key: ed25519 (recommended), rsa, or hmac-note, which says where HMAC keys come from."`
	Out  string `type:"path" placeholder:"FILE" help:"The key file to make, of mode 0600; one that exists is kept."`
	Bits int    `default:"2048" help:"Size of an RSA key, 2048 to 4096."`
}

const hmacNote = `The venue makes HMAC keys itself and shows the secret once. Put both into a file of mode 0600:

api_key = "..."
secret = "..."

It calls them deprecated, and they cannot log on to the WebSocket API: prefer --type ed25519.
`

// Run makes the pair.
func (c keysGenCmd) Run(o *output) error {
	if c.Type == "hmac-note" {
		_, err := io.WriteString(o.stdout, hmacNote)
		return err
	}
	if c.Out == "" {
		return usageError{errors.New("--out is missing, want the key file to make")}
	}
	kind := map[string]execbinance.KeyKind{"ed25519": execbinance.KeyEd25519, "rsa": execbinance.KeyRSA}[c.Type]
	public, err := execbinance.GenerateKeyFile(c.Out, kind, c.Bits)
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(o.stderr, "riposte: private key in %s. Register this public key with the venue, bind it to this host's address, and put the API key that you get into that file.\n", c.Out)
	_, err = io.WriteString(o.stdout, public)
	return err
}

type keysCheckCmd struct {
	Config string `type:"path" help:"Configuration file; without one, the key of an embedded venue, which shows what the table looks like."`
}

// Run loads the key and judges it.
func (c keysCheckCmd) Run(o *output) (err error) {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	d := &desk{cfg: cfg, contact: contact{clock: core.NewSystemClock()}, stages: newStageClock()}
	defer func() { err = errors.Join(err, d.close()) }()
	if d.sites, err = d.findSites(); err != nil {
		return err
	}
	if err = d.loadKeyAlone(cfg, d.sim != nil); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%s key %s from %s, for %s\n", d.key.Kind(), d.key.Fingerprint(), d.where, d.sites.name)
	for _, text := range d.cautions {
		fmt.Fprintln(o.stderr, "riposte: warning:", text)
	}
	if err = d.greet(cfg, d.sim != nil); err != nil {
		return fmt.Errorf("what it may do cannot be asked: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), rightsTimeout)
	defer cancel()
	_, all, err := rightsOf(ctx, d.rest, cfg.Keys.Products, d.vclock.Now())
	if code := refusalCode(err); code != 0 {
		return fmt.Errorf("venue refuses the key (%d): %s", code, d.key.Diagnose(code, d.facts(false, nil)))
	}
	if err != nil {
		return fmt.Errorf("what it may do cannot be asked: %w", err)
	}
	showRights(o.stdout, all)
	switch {
	case execbinance.Worst(all) != execbinance.Refuse:
		return nil
	case !cfg.strict():
		fmt.Fprintf(o.stdout, "on %s this is a warning; live refuses the key\n", cfg.Venue.Environment)
		return nil
	}
	return errors.New("no order leaves with this key")
}

// showRights is a table of findings.
func showRights(w io.Writer, all []execbinance.Finding) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "right\tis\tverdict\t")
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Flag, f.Value, f.Verdict, f.Why)
	}
	t.Flush()
}
