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
	r := newRig(t, "repeat_max = 100", "repeat_max = 0\nexecution_max = 0")
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
	if rep := r.d.report(); len(rep.Refusals) > 0 || len(recv) < n {
		t.Logf("%d of %d signals accepted, %d orders asked for, refusals %v, problems %q", len(recv), n, heedOrders.Load(), rep.Refusals, rep.Problems)
	}
	var took []time.Duration
	r.await(func() bool {
		mu.Lock()
		defer mu.Unlock()
		took = took[:0]
		for input, at := range recv {
			if w, ok := written[input]; ok {
				took = append(took, time.Duration(w-at))
			}
		}
		return len(took) >= n*8/10
	})
	slices.Sort(took)
	t.Logf("%d signals, %d orders: message read to order written p50 %v, p99 %v, max %v", n, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}
