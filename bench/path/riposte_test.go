package path

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"riposte/bench"
)

// TestRiposteAnswersEveryFrame runs the real binary as the harness does: every change
// of the best bid brings one order, at that price, over plain connections and TLS.
func TestRiposteAnswersEveryFrame(t *testing.T) {
	root, err := bench.Root()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "riposte")
	build := exec.Command("go", "build", "-o", binary, "./tools/riposte")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build riposte: %v\n%s", err, out)
	}
	for _, tc := range []struct {
		name          string
		secure, mixed bool
		walk          Walk
	}{{"plain", false, false, Far}, {"TLS", true, false, Near}, {"mixed feed", false, true, Far}} {
		t.Run(tc.name, func(t *testing.T) {
			var a *bench.Authority
			u := Setup{Corpus: corpus(t), Walk: tc.walk, CPU: -1}
			if tc.secure {
				if a, err = bench.NewAuthority(); err != nil {
					t.Fatal(err)
				}
				u.TLS = a.Server()
			}
			traffic := Steady(200)
			if tc.mixed {
				u.Others = 2
				if traffic, err = Recorded(u.Corpus, RecordedOptions{Pause: 5 * time.Millisecond, Every: 4, Others: 2}); err != nil {
					t.Fatal(err)
				}
			}
			sub := Riposte(RiposteOptions{Name: "riposte", Binary: binary, Dir: t.TempDir(), Threads: "inline", Wait: "park", Wires: 4, Journal: true}, a)
			res, err := u.Trial(sub, Plan{Samples: 200, Warmup: 20, Traffic: traffic, Grace: 10e9})
			if err != nil {
				t.Fatal(err)
			}
			// An order may be refused for age where the machine stalls for a
			// quarter of a second; none may come that no frame caused.
			if res.Stray != 0 || res.Lost > res.Samples/4 {
				t.Fatalf("got %+v, want an order for each frame and no other", res.Figures("riposte"))
			}
			if !strings.Contains(res.Said, `"final":true`) || !strings.Contains(res.Said, `"gaps":0,`) || !strings.Contains(res.Said, `"clean":true`) {
				t.Fatalf("riposte did not end cleanly and without gaps: %s", res.Said)
			}
		})
	}
}
