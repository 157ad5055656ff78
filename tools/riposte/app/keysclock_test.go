package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// unmeasured is a contact whose venue clock is as wrong as the host's.
func unmeasured(t *testing.T, v *keyedVenue, rest string, clock core.Clock) *contact {
	c := &contact{clock: clock}
	c.sites.rest, c.sites.keyFile = rest, v.file
	if err := c.loadKey(v.config(), true); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.budget, err = exec.NewBudget(0); err != nil {
		t.Fatal(err)
	}
	c.vclock = exec.NewVenueClock(c.clock)
	if c.rest, err = c.newREST(core.NewInstruments()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.rest.Close)
	return c
}

// An offset that has become wrong between measuring and asking is measured again; the key
// is not to blame.
func TestAClockThatSteppedIsMeasuredAgainBeforeTheKeyIsBlamed(t *testing.T) {
	for _, off := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		v := openKeyed(t, hmacKeys(1)...)
		c := unmeasured(t, v, v.REST(), civilClock{core.NewSystemClock(), off})
		if _, _, err := rightsOf(t.Context(), c.rest, nil, c.clock.Wall()); err != nil {
			t.Errorf("%v off: %v, want it measured anew and asked again", off, err)
		}
	}
}

// TestATimeThatStaysRefusedIsNoVerdictOnTheKey: a start goes on, and where real money is at
// work orders wait and it is said by how much the clock is off.
func TestATimeThatStaysRefusedIsNoVerdictOnTheKey(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/v3/time" {
			fmt.Fprintf(w, `{"serverTime":%d}`, time.Now().UnixMilli())
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`)
	}))
	defer s.Close()
	v := openKeyed(t, hmacKeys(1)...)
	for _, must := range []bool{true, false} {
		d := &desk{contact: *unmeasured(t, v, s.URL, core.NewSystemClock()), cfg: v.config()}
		k := newKeeper(d)
		k.strict = must
		if err := k.first(); err != nil {
			t.Fatalf("strict %v: the start fails: %v", must, err)
		}
		said := &k.warning
		if must {
			said = &k.problem
		}
		if text := said.Load(); text == nil || !strings.Contains(*text, "off from its clock within") || !strings.Contains(*text, "-1021") {
			t.Errorf("strict %v: said %v, want that orders wait, by how much the clock is off, and the venue's words", must, text)
		}
		k.stop()
	}
}
