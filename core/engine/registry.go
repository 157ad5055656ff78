package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

var factories = map[string]Factory{}

// Register makes a strategy known under a name, for the config's
// strategy.name. It is called from init functions, before anything runs; a name
// given twice is a programming error and panics.
func Register(name string, f Factory) {
	if _, dup := factories[name]; dup {
		panic("BUG: strategy " + name + " is registered twice")
	}
	factories[name] = f
}

// Lookup finds a registered strategy.
func Lookup(name string) (Factory, error) {
	f, ok := factories[name]
	if !ok {
		return nil, fmt.Errorf("cannot find strategy %q, want one of %s", name, strings.Join(Names(), ", "))
	}
	return f, nil
}

// Names lists the registered strategies in order.
func Names() []string { return slices.Sorted(maps.Keys(factories)) }
