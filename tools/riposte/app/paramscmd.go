package app

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

type paramsCmd struct {
	Strategy string   `arg:"" help:"The strategy, by its name in the configuration."`
	Set      []string `arg:"" name:"key=value" help:"Parameters with their new values, as in the configuration."`
	Reason   string   `required:"" help:"Why; it goes on record."`
	Symbol   string   `help:"At this symbol alone."`
	Config   string   `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
}

// Run changes parameters of a strategy in the engine that runs by this configuration.
func (c paramsCmd) Run(o *output) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	req := order{Who: whoami(), Reason: c.Reason, Symbol: c.Symbol, Strategy: c.Strategy, Set: map[string]string{}}
	for _, pair := range c.Set {
		key, value, ok := strings.Cut(pair, "=")
		if _, twice := req.Set[key]; !ok || key == "" || twice {
			return usageError{fmt.Errorf("cannot use %q: want key=value, each key once", pair)}
		}
		req.Set[key] = value
	}
	text, err := tellEngine(cfg, "/params", &req)
	if errors.Is(err, errNoEngine) {
		return fmt.Errorf("%w: the next one goes by its configuration, change it there", err)
	}
	if err == nil {
		fmt.Fprintln(o.stdout, text)
	}
	return err
}

func (d *door) params(w http.ResponseWriter, r *http.Request) {
	o := order{pair: true}
	text := ""
	err := o.read(r)
	if err == nil {
		text, err = d.c.tune(&o)
	}
	answer(w, text, err)
}
