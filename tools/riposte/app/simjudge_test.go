package app

import "time"

func (r *simRun) judges() {}
func (r *simRun) faults() {}
func (r *simRun) heal()   {}

// rest stops the engine in order and looks at what is left.
func (r *simRun) rest() {
	l := r.life
	if l == nil || l.stage.Load() != lifeRunning {
		r.w.Violated("P24", "the engine does not run")
		return
	}
	l.end()
	for range 40 {
		r.w.Run(r.w.Now() + time.Second)
		if l.stage.Load() == lifeEnded {
			break
		}
	}
	if l.final == nil {
		r.w.Violated("X2", "the engine did not end")
		return
	}
	r.result.Orders = l.final.Orders
	if !l.final.Clean {
		r.w.Violated("X2", "the engine did not end in order")
	}
}
