package sim

import (
	"fmt"
	"strconv"
	"time"
)

// world draws what is unusual about the world and the limits of a run. Most seeds have
// none of it.
func (d *drawing) world() {
	k := &d.p.Work
	limit := func(name, value string) {
		if k.Limits == nil {
			k.Limits = map[string]string{}
		}
		k.Limits[name] = value
	}
	if d.chance(0.3) {
		k.Fee = 20 + d.IntN(200)
		k.Set["account.losses_max"], k.Set["account.loss_max"], k.Set["account.drawdown_max"] = "0", `"1000000"`, `"1000000"`
	}
	if d.chance(0.15) { // near to answer, far to ask
		k.Lean = d.between(200*time.Millisecond, 350*time.Millisecond)
		k.Base = min(k.Base, 20*time.Millisecond)
	}
	if d.chance(0.1) {
		k.Behind, k.Set["market.queue_events"] = true, "1024"
	}
	if d.chance(0.4) {
		k.Set["journal.file_bytes"] = pick(d, "8192", "16384")
	}
	if d.chance(0.3) {
		limit("stale_after", strconv.Quote(pick(d, "500ms", "1s", "2s")))
	}
	if d.chance(0.3) {
		k.Set["account.rate_max"] = strconv.Itoa(4 + d.IntN(20))
		k.Set["account.rate_span"] = strconv.Quote(fmt.Sprintf("%ds", 2+d.IntN(9)))
	}
	if d.chance(0.3) {
		k.Set["account.reject_max"] = strconv.Itoa(2 + d.IntN(4))
	}
	if d.chance(0.15) {
		k.Orders = 5 + d.IntN(15)
	}
	if d.chance(0.15) {
		k.Weight = 2000 + d.IntN(1500)
	}
	switch k.Strategy {
	case "burst":
		limit("open_max", "24")
		k.Set["exec.route"], k.Set["loop.order_wires"] = pick(d, "rest", "rest", "auto"), pick(d, "1", "1", "2")
	case "deep":
		delete(k.Limits, "open_max")
	}
}
