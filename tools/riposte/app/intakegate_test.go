package app

import (
	"testing"

	"riposte/core/airlock"
)

// TestGatesOfTheMarketAndTheAccountRefuseRealMessages: bounds that no good message of the
// table breaks, set so that the market of the moment or the day's loss does. What comes by
// webhook and by WebSocket is refused by the gate's name and reaches no strategy.
func TestGatesOfTheMarketAndTheAccountRefuseRealMessages(t *testing.T) {
	for want, change := range map[airlock.Gate]func(*Config){
		// Half a spread between the last trade and the mid is more than that.
		airlock.Agreement: func(c *Config) { c.Airlock.AgreementBps = 0.00001 },
		// What 0.5 BTC cost is not the best price.
		airlock.Slippage: func(c *Config) {
			c.Airlock.SlippageBps = 0.0001
			for _, name := range []string{"main", "voc"} {
				c.Sources[name].Sizes["BTCUSDT"] = quantity{e8: 50_000_000}
			}
		},
	} {
		t.Run(want.String(), func(t *testing.T) {
			last.number, last.verdicts = 0, nil
			r := newRigWith(t, change, want)
			r.refusedBy(want, func() posted { return r.post("main", r.body("BTCUSDT", nil)) })
			r.refusedBy(want, func() posted { return r.push("") })
		})
	}
	t.Run(airlock.Loss.String(), func(t *testing.T) {
		last.number, last.verdicts = 0, nil
		// One percent of the day's loss: the fees of a few orders.
		r := newRigWith(t, func(c *Config) { c.Airlock.LossPercent, c.Account.LossMax = 1, quantity{e8: 30_00000000} }, airlock.None)
		r.await(func() bool {
			v := r.verdict(r.post("main", r.body("BTCUSDT", nil)).number)
			if v.Outcome != airlock.Accepted && v.Failed != airlock.Loss {
				t.Logf("%s", r.d.intake.describe(&v))
			}
			return v.Failed == airlock.Loss
		})
		if heeded.Load() == 0 {
			t.Errorf("no signal was taken before the loss")
		}
		before := heeded.Load()
		r.refusedBy(airlock.Loss, func() posted { return r.post("main", r.body("BTCUSDT", nil)) })
		r.refusedBy(airlock.Loss, func() posted { return r.push("") })
		if n := heeded.Load() - before; n != 0 {
			t.Errorf("%d signals reached the strategy behind the loss", n)
		}
	})
}

// refusedBy sends a message that must be refused by the gate, in words that name it.
func (r *rig) refusedBy(want airlock.Gate, send func() posted) {
	r.t.Helper()
	before := heeded.Load()
	v := r.verdict(send().number)
	if v.Outcome != airlock.Refused || v.Failed != want {
		r.t.Errorf("%v: %s, want it refused by %v", v.Outcome, r.d.intake.describe(&v), want)
	}
	r.t.Logf("%s", r.d.intake.describe(&v))
	if n := heeded.Load() - before; n != 0 {
		r.t.Errorf("%d signals reached the strategy", n)
	}
}
