package signal

import (
	"fmt"
	"math"

	"riposte/core"
)

// Op is one step of a program. It takes its operands from the top of a stack and
// leaves its result there. Truth is 1 or 0, and what is not known is NaN.
type Op uint8

// The operations.
const (
	OpConst Op = iota + 1 // pushes V
	OpLoad                // pushes slot At of the panel; ends the program if it is not ready
	OpNeg                 // and what follows up to OpNot: one operand
	OpAbs
	OpNot
	OpAdd // and what follows up to OpMax: two operands
	OpSub
	OpMul
	OpDiv
	OpLess
	OpLessEqual
	OpGreater
	OpGreaterEqual
	OpEqual
	OpAnd
	OpOr
	OpMin
	OpMax
	OpCrossed // 1 when the first is above the second and was not when last looked at; memory At
	OpSelect  // three operands: the second where the first is true, else the third
)

// operands is how many each operation takes.
func (o Op) operands() int {
	switch {
	case o <= OpLoad:
		return 0
	case o <= OpNot:
		return 1
	case o <= OpCrossed:
		return 2
	}
	return 3
}

// Code is one step with its argument.
type Code struct {
	Op Op
	At uint16
	V  float64
}

// Bounds of a program.
const (
	CodeMax  = 256
	stackMax = 24
)

// Program is an expression over a panel's slots, compiled. What is not known stays
// so: a slot that is not ready, a division by zero, and all that is made of them, but
// for an and with something false, an or with something true, and the branch that is
// not taken. One goroutine: crossings remember what they saw last.
type Program struct {
	code    []Code
	crossed []float64 // the difference when last looked at, NaN: not yet
}

// NewProgram checks that the code leaves one value on a stack of the bounded height and
// reads only slots that there are.
func NewProgram(code []Code, slots int) (Program, error) {
	if len(code) > CodeMax {
		return Program{}, fmt.Errorf("it has %d steps, want at most %d", len(code), CodeMax)
	}
	height, crossings := 0, 0
	for i, c := range code {
		if c.Op < OpConst || c.Op > OpSelect || c.Op == OpLoad && int(c.At) >= slots {
			return Program{}, fmt.Errorf("BUG: step %d is %+v of %d slots", i, c, slots)
		}
		if height -= c.Op.operands(); height < 0 {
			return Program{}, fmt.Errorf("BUG: step %d finds too few operands", i)
		}
		if height++; height > stackMax {
			return Program{}, fmt.Errorf("it holds %d values at once, want at most %d: write it with fewer brackets", height, stackMax)
		}
		if c.Op == OpCrossed {
			crossings = max(crossings, int(c.At)+1)
		}
	}
	if height != 1 {
		return Program{}, fmt.Errorf("BUG: the code leaves %d values, want 1", height)
	}
	p := Program{code: code, crossed: make([]float64, crossings)}
	for i := range p.crossed {
		p.crossed[i] = math.NaN()
	}
	return p, nil
}

// truth is 1, else 0, else not known.
func truth(yes, no bool) float64 {
	switch {
	case yes:
		return 1
	case no:
		return 0
	}
	return math.NaN()
}

// Eval is the expression's value at now; ok is false where it is not known. A crossing
// is not seen across a time in which one of its sides was not known.
func (p *Program) Eval(panel *Panel, now core.MonoNs) (v float64, ok bool) {
	var stack [stackMax + 2]float64 // NewProgram's bound, and room to look at three
	n := 0                          // values on the stack
	for i := range p.code {
		c := &p.code[i]
		n -= c.Op.operands()
		x := stack[n : n+3]
		switch c.Op {
		case OpConst:
			x[0] = c.V
		case OpLoad:
			if x[0], ok = panel.Value(int(c.At), now); !ok {
				x[0] = math.NaN()
			}
		case OpNeg:
			x[0] = -x[0]
		case OpAbs:
			x[0] = math.Abs(x[0])
		case OpNot:
			x[0] = 1 - x[0]
		case OpAdd:
			x[0] += x[1]
		case OpSub:
			x[0] -= x[1]
		case OpMul:
			x[0] *= x[1]
		case OpDiv:
			if x[0] /= x[1]; x[1] == 0 {
				x[0] = math.NaN()
			}
		case OpLess:
			x[0] = truth(x[0] < x[1], x[0] >= x[1])
		case OpLessEqual:
			x[0] = truth(x[0] <= x[1], x[0] > x[1])
		case OpGreater:
			x[0] = truth(x[0] > x[1], x[0] <= x[1])
		case OpGreaterEqual:
			x[0] = truth(x[0] >= x[1], x[0] < x[1])
		case OpEqual:
			x[0] = truth(x[0] == x[1], x[0] < x[1] || x[0] > x[1])
		case OpAnd:
			x[0] = truth(x[0] == 1 && x[1] == 1, x[0] == 0 || x[1] == 0)
		case OpOr:
			x[0] = truth(x[0] == 1 || x[1] == 1, x[0] == 0 && x[1] == 0)
		case OpMin:
			x[0] = min(x[0], x[1])
		case OpMax:
			x[0] = max(x[0], x[1])
		case OpCrossed:
			d, was := x[0]-x[1], p.crossed[c.At]
			p.crossed[c.At] = d
			x[0] = truth(was <= 0 && d > 0, d == d) // the first look crosses nothing
		case OpSelect:
			switch x[0] {
			case 1:
				x[0] = x[1]
			case 0:
				x[0] = x[2]
			}
		}
		n++
	}
	v = stack[0]
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}
