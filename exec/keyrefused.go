package exec

import (
	"errors"

	"riposte/core/risk"
)

// A call that the venue refuses for its key is not made again with that key: no retry can
// help, and a loop of them looks like an attack. What was to be done, a question, a
// cancel, an audit, is barred and stays due; it is done once the cause HaltKey has been
// lifted, which a change of key does. What has not been tried with the key is tried once:
// one request that was signed wrong must not keep cancels of other orders back.

// refusedKey notes it if err is the venue's refusal of the key.
func (g *Gateway) refusedKey(err error) bool {
	var ce *CallError
	if !errors.As(err, &ce) || !ce.KeyRefused {
		return false
	}
	g.keyCode.Store(int32(ce.Code))
	g.raise(risk.HaltKey)
	return true
}

// barred reports whether something was refused with the key that is in force.
func (g *Gateway) barred(b *bool) bool {
	*b = *b && g.Halted()&risk.HaltKey != 0
	return *b
}
