package app

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What has come together while the keeper was busy was once taken as chance would have it:
// two simulations of one seed asked the venue in another order.
func TestWhatComesTogetherHasOneOrder(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			k := &keeper{ask: make(chan chan error), hup: make(chan os.Signal, 1)}
			k.ctx, k.stop = context.WithCancel(t.Context())
			defer k.stop()
			times := newKeeperTimes(refusalLook) // both at one instant
			defer times.timer.Stop()
			asked := make(chan error, 1)
			go func() { k.ask <- asked }()
			k.hup <- syscall.SIGHUP
			time.Sleep(time.Second) // a call was out
			synctest.Wait()

			var got []keeperTurn
			take := func() {
				turn, done := k.turn(times)
				if (done != nil) != (turn == turnChange && len(got) == 0) {
					t.Fatalf("turn %d, which is %d, has an answer to give: %v", len(got), turn, done != nil)
				}
				if turn == turnCheck {
					times.check = time.Now().Add(2 * refusalLook)
				}
				got = append(got, turn)
			}
			for range 4 {
				take()
			}
			from := time.Now()
			take() // the next look, and the one after comes with the check
			if waited := time.Since(from); waited != refusalLook {
				t.Fatalf("the next look came after %v, want %v", waited, refusalLook)
			}
			take()
			take()
			k.stop()
			take()
			want := []keeperTurn{turnChange, turnChange, turnCheck, turnLook, turnLook, turnCheck, turnLook, turnEnd}
			if !slices.Equal(got, want) {
				t.Fatalf("turns were %v, want %v", got, want)
			}
		})
	}
}
