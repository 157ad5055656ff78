package app

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/exec"
)

// From the last byte of a message read to the last byte of its order written.
func TestSignalToOrderTime(t *testing.T) {
	n := 40
	if s := os.Getenv("RIPOSTE_SIGNALS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	last.number, last.verdicts = 0, nil
	r := newRig(t, "repeat_max = 100", "repeat_max = 0\nexecution_max = 0\ndrift_bps = 0")
	usualAgain(r)
	var mu sync.Mutex
	written := map[uint64]core.MonoNs{}
	r.d.stages.mu.Lock()
	r.d.stages.tap = func(st *exec.Stamp, _ *stageTimes) {
		mu.Lock()
		written[st.Input] = st.Written
		mu.Unlock()
	}
	r.d.stages.mu.Unlock()
	recv := map[uint64]core.MonoNs{}
	pace := time.NewTicker(time.Second / 8) // more orders than that the venue does not take for long
	defer pace.Stop()
	for i := range n {
		if n > 60 {
			<-pace.C
		}
		side := `"buy"`
		if i%2 == 1 {
			side = `"sell"`
		}
		if v := r.verdict(r.post("main", r.body("BTCUSDT", map[string]string{"side": side})).number); v.Outcome == airlock.Accepted {
			recv[v.Input] = v.Alert.Recv
		}
	}
	// On a starved machine an approval may have grown too old to leave, or the gate refused.
	var took []time.Duration
	others := uint64(0)
	r.await(func() bool {
		rep := r.d.report()
		others = rep.Unsent
		for _, times := range rep.Refusals {
			others += times
		}
		mu.Lock()
		defer mu.Unlock()
		took = took[:0]
		for input, at := range recv {
			if w, ok := written[input]; ok {
				took = append(took, time.Duration(w-at))
			}
		}
		return len(took)+int(others) >= len(recv)
	})
	if len(took) == 0 {
		t.Fatalf("of %d signals %d were accepted and none became an order: %+v", n, len(recv), r.d.report())
	}
	slices.Sort(took)
	t.Logf("%d signals, %d accepted, %d orders: message read to order written p50 %v, p99 %v, max %v", n, len(recv), len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}
