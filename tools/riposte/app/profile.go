package app

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/profile"
)

// profileFlags are the same on every command that can profile itself.
type profileFlags struct {
	Profile    string `enum:",cpu,mem,mutex,block,trace,goroutine" default:"" placeholder:"KIND" help:"Write a profile: cpu, mem, mutex, block, trace or goroutine."`
	ProfileDir string `type:"path" default:"." placeholder:"DIR" help:"Folder of the profile, made if need be; the current one by default."`
}

// profileKinds are the profiles by the flag's words: how each is taken and the name
// that pkg/profile gives its file.
var profileKinds = map[string]struct {
	mode func(*profile.Profile)
	file string
}{
	"cpu":       {profile.CPUProfile, "cpu.pprof"},
	"mem":       {profile.MemProfileAllocs, "mem.pprof"},
	"mutex":     {profile.MutexProfile, "mutex.pprof"},
	"block":     {profile.BlockProfile, "block.pprof"},
	"trace":     {profile.TraceProfile, "trace.out"},
	"goroutine": {profile.GoroutineProfile, "goroutine.pprof"},
}

// start profiles the process from here until stop is called, which may be done more
// than once. stop says on w where the profile is.
//
// NoShutdownHook: the hook would exit on SIGINT before own orders are cancelled. A
// folder that cannot be written is found here, because pkg/profile would end the
// process for it.
func (f profileFlags) start(w io.Writer) (stop func(), err error) {
	if f.Profile == "" {
		return func() {}, nil
	}
	kind := profileKinds[f.Profile]
	if err := os.MkdirAll(f.ProfileDir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the profile's folder: %w", err)
	}
	name := filepath.Join(f.ProfileDir, kind.file)
	probe, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write the profile: %w", err)
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("cannot write the profile: %w", err)
	}
	running := profile.Start(kind.mode, profile.NoShutdownHook, profile.Quiet, profile.ProfilePath(f.ProfileDir))
	said := false
	return func() {
		running.Stop()
		if !said {
			said = true
			fmt.Fprintf(w, "riposte: %s profile written to %s\n", f.Profile, name)
		}
	}, nil
}
