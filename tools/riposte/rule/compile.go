package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"riposte/core/signal"
)

// Kind is what an expression has to give.
type Kind uint8

// The kinds. A direction is a number, above 0 to buy and below 0 to sell, which the
// names buy and sell stand for too; a strength is a number from 0 to 1, or a percentage.
const (
	Truth Kind = iota
	Direction
	Strength
)

// Compiled is an expression for a panel, with the panel's slots that it reads.
type Compiled struct {
	Program signal.Program
	Slots   []int
}

// Error is what is wrong with an expression, and where: runes from its start.
type Error struct {
	At, End int
	Text    string
}

// Error is the text alone.
func (e *Error) Error() string { return e.Text }

// Compile checks an expression and adds the indicators that it names to the panel. An
// error is an *Error.
func Compile(text string, kind Kind, panel *signal.Panel) (Compiled, error) {
	if i := strings.IndexAny(text, digits); i >= 0 {
		at := len([]rune(text[:i]))
		return Compiled{}, &Error{at, at + 1, "a Greek letter is not something a rule is made of"}
	}
	tree, err := parser.ParseWithConfig(mask(text), conf.CreateNew())
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			return Compiled{}, &Error{at.From, max(at.To, at.From+1), unmask(at.Message)}
		}
		return Compiled{}, &Error{0, 1, unmask(err.Error())}
	}
	c := &compiler{panel: panel}
	t, err := c.node(tree.Node)
	if err == nil {
		err = c.finish(tree.Node, t, kind)
	}
	if err != nil {
		return Compiled{}, err
	}
	p, err := signal.NewProgram(c.code, panel.Slots())
	if err != nil {
		return Compiled{}, c.fail(tree.Node, "the expression is too large: %w", err)
	}
	return Compiled{p, c.slots}, nil
}

// compiler emits code while it checks. One expression.
type compiler struct {
	panel   *signal.Panel
	code    []signal.Code
	slots   []int
	crosses uint16
}

// typ is what a part of an expression gives: a truth, or a number in a unit. A number
// that is written down has none until it meets one.
type typ struct {
	truth   bool
	written bool
	unit    signal.Unit
}

// String names the type for an error.
func (t typ) String() string {
	if t.truth {
		return "true or false"
	}
	return t.unit.String()
}

func (c *compiler) fail(n ast.Node, format string, args ...any) error {
	loc := n.Location()
	end := loc.To
	if call, ok := n.(*ast.CallNode); ok {
		end = max(end, call.Callee.Location().To)
	}
	return &Error{loc.From, max(end, loc.From+1), fmt.Errorf(format, args...).Error()}
}

func (c *compiler) emit(op signal.Op) { c.code = append(c.code, signal.Code{Op: op}) }

func (c *compiler) number(v float64) (typ, error) {
	c.code = append(c.code, signal.Code{Op: signal.OpConst, V: v})
	return typ{written: true}, nil
}

// finish holds what the expression gives against what was wanted.
func (c *compiler) finish(n ast.Node, t typ, kind Kind) error {
	switch {
	case kind == Truth && !t.truth:
		return c.fail(n, "it gives %v, want true or false: compare it, such as ... > 0", t)
	case kind != Truth && t.truth:
		return c.fail(n, "it gives true or false, want a number: such as ... ? 1 : 0.5")
	case kind == Strength && t.unit == signal.Percent:
		c.code = append(c.code, signal.Code{Op: signal.OpConst, V: 100}, signal.Code{Op: signal.OpDiv})
	case kind == Strength && t.unit != signal.Number:
		return c.fail(n, "it gives %v, want a number from 0 to 1 or a percentage", t)
	}
	return nil
}

func (c *compiler) node(n ast.Node) (typ, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return c.number(float64(n.Value))
	case *ast.FloatNode:
		return c.number(n.Value)
	case *ast.BoolNode:
		v := 0.0
		if n.Value {
			v = 1
		}
		_, err := c.number(v)
		return typ{truth: true}, err
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.choice(n)
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, callee.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	}
	return typ{}, c.fail(n, "%s is not something a rule is made of: want numbers, comparisons, and, or, not, ?: and indicators", unmask(n.String()))
}

func (c *compiler) name(n *ast.IdentifierNode) (typ, error) {
	switch n.Value {
	case "buy":
		return c.number(1)
	case "sell":
		return c.number(-1)
	}
	if _, err := span(n.Value); err == nil {
		return typ{}, c.fail(n, "the duration %s stands alone, want it as an argument, such as ema(1m, 20)", unmask(n.Value))
	}
	s, err := signal.Lookup(n.Value)
	if err != nil {
		return typ{}, c.fail(n, "%w", err)
	}
	return typ{}, c.fail(n, "%s is written without its brackets, want %s", n.Value, s.Signature())
}

func (c *compiler) unary(n *ast.UnaryNode) (typ, error) {
	t, err := c.node(n.Node)
	if err != nil {
		return t, err
	}
	switch not := n.Operator == "not" || n.Operator == "!"; {
	case not != t.truth:
		return t, c.fail(n, "%s stands before %v", n.Operator, t)
	case not:
		c.emit(signal.OpNot)
	case n.Operator == "-":
		c.emit(signal.OpNeg)
	}
	return t, nil
}

// binaries are the operators, each with its code.
var binaries = map[string]signal.Op{
	"+": signal.OpAdd, "-": signal.OpSub, "*": signal.OpMul, "/": signal.OpDiv,
	"<": signal.OpLess, "<=": signal.OpLessEqual, ">": signal.OpGreater, ">=": signal.OpGreaterEqual,
	"==": signal.OpEqual, "!=": signal.OpEqual, // and a not behind it
	"and": signal.OpAnd, "&&": signal.OpAnd, "or": signal.OpOr, "||": signal.OpOr,
}

func (c *compiler) binary(n *ast.BinaryNode) (typ, error) {
	op, ok := binaries[n.Operator]
	if !ok {
		return typ{}, c.fail(n, "the operator %s is not something a rule is made of", n.Operator)
	}
	x, err := c.node(n.Left)
	if err != nil {
		return x, err
	}
	y, err := c.node(n.Right)
	if err != nil {
		return y, err
	}
	t, err := combine(op, n.Operator, x, y)
	if err != nil {
		return t, c.fail(n, "%w", err)
	}
	c.emit(op)
	if n.Operator == "!=" {
		c.emit(signal.OpNot)
	}
	return t, nil
}

// combine is the type of two operands put together.
func combine(op signal.Op, name string, x, y typ) (typ, error) {
	if logic := op == signal.OpAnd || op == signal.OpOr; logic != x.truth || logic != y.truth {
		if logic {
			return typ{}, fmt.Errorf("%s stands between %v and %v, want true or false on both sides", name, x, y)
		}
		return typ{}, fmt.Errorf("%s stands between %v and %v, want numbers on both sides", name, x, y)
	}
	switch op {
	case signal.OpAnd, signal.OpOr:
		return x, nil
	case signal.OpMul:
		return scaled(name, x, y, 1)
	case signal.OpDiv:
		return scaled(name, x, y, -1)
	}
	t, err := same(name, x, y)
	if op >= signal.OpLess && op <= signal.OpEqual {
		t = typ{truth: true}
	}
	return t, err
}

// same is the unit that both have; a written number takes the other's.
func same(name string, x, y typ) (typ, error) {
	switch {
	case x.written:
		return y, nil
	case y.written || x.unit == y.unit:
		return x, nil
	}
	return typ{}, fmt.Errorf("%s stands between %v and %v, want the same unit on both sides", name, x, y)
}

// scaled is the unit of a product (sign 1) or a quotient (sign -1).
func scaled(name string, x, y typ, sign int8) (typ, error) {
	t := typ{written: x.written && y.written}
	t.unit.Quote = x.unit.Quote + sign*y.unit.Quote
	t.unit.Base = x.unit.Base + sign*y.unit.Base
	switch {
	case y.unit.Scale == signal.Ones:
		t.unit.Scale = x.unit.Scale
	case sign < 0 && x.unit.Scale == y.unit.Scale: // they cancel
	case sign > 0 && x.unit.Scale == signal.Ones:
		t.unit.Scale = y.unit.Scale
	default:
		return typ{}, fmt.Errorf("%s stands between %v and %v, which gives no unit", name, x, y)
	}
	return t, nil
}

func (c *compiler) choice(n *ast.ConditionalNode) (typ, error) {
	cond, err := c.node(n.Cond)
	if err != nil {
		return cond, err
	}
	if !cond.truth {
		return cond, c.fail(n.Cond, "what is asked before ? gives %v, want true or false", cond)
	}
	x, err := c.node(n.Exp1)
	if err != nil {
		return x, err
	}
	y, err := c.node(n.Exp2)
	if err != nil {
		return y, err
	}
	if x.truth != y.truth {
		return x, c.fail(n.Exp2, "the two answers are %v and %v, want two of a kind", x, y)
	}
	t := x
	if !x.truth {
		if t, err = same(":", x, y); err != nil {
			return t, c.fail(n.Exp2, "%w", err)
		}
	}
	c.emit(signal.OpSelect)
	return t, nil
}

func (c *compiler) call(n ast.Node, name string, args []ast.Node) (typ, error) {
	switch name {
	case "abs":
		return c.function(n, name, args, 1, signal.OpAbs)
	case "min":
		return c.function(n, name, args, 2, signal.OpMin)
	case "max":
		return c.function(n, name, args, 2, signal.OpMax)
	case "crossed_above":
		return c.function(n, name, args, 2, signal.OpCrossed)
	case "crossed_below":
		slices.Reverse(args) // a is below b as soon as b is above a
		return c.function(n, name, args, 2, signal.OpCrossed)
	}
	s, err := signal.Lookup(name)
	if err != nil {
		return typ{}, c.fail(n, "%w", err)
	}
	return c.indicator(n, s, args)
}

func (c *compiler) function(n ast.Node, name string, args []ast.Node, want int, op signal.Op) (typ, error) {
	if len(args) != want {
		return typ{}, c.fail(n, "%s has %d arguments, want %d", name, len(args), want)
	}
	var t typ
	for i, a := range args {
		x, err := c.node(a)
		if err != nil {
			return x, err
		}
		if x.truth {
			return x, c.fail(a, "%s is of numbers, found %v", name, x)
		}
		if i == 0 {
			t = x
		} else if t, err = same(name, t, x); err != nil {
			return t, c.fail(n, "%w", err)
		}
	}
	code := signal.Code{Op: op}
	if op == signal.OpCrossed {
		code.At = c.crosses
		c.crosses++
		t = typ{truth: true}
	}
	c.code = append(c.code, code)
	return t, nil
}

// indicator adds a call of an indicator; its first argument is its bars if it reads
// bars, the others are numbers and durations.
func (c *compiler) indicator(n ast.Node, s *signal.Spec, args []ast.Node) (typ, error) {
	series, rest, err := c.series(s, args)
	if err != nil {
		return typ{}, err
	}
	given := make([]signal.Arg, len(rest))
	for i, a := range rest {
		if given[i], err = c.argument(s, a); err != nil {
			return typ{}, err
		}
	}
	slot, err := c.panel.Add(s, series, given...)
	if err != nil {
		return typ{}, c.fail(n, "%w", err)
	}
	if !slices.Contains(c.slots, slot) {
		c.slots = append(c.slots, slot)
	}
	c.code = append(c.code, signal.Code{Op: signal.OpLoad, At: uint16(slot)})
	return typ{unit: s.Unit}, nil
}

// series reads the bars, if the first argument is some. For an indicator that reads
// none, a bare duration is an argument like others.
func (c *compiler) series(s *signal.Spec, args []ast.Node) (signal.Series, []ast.Node, error) {
	if len(args) == 0 {
		return signal.Series{}, args, nil
	}
	text := ""
	switch a := args[0].(type) {
	case *ast.StringNode:
		text = a.Value
	case *ast.IdentifierNode:
		if text = unmask(a.Value); text == a.Value || s.Of != signal.Bars {
			return signal.Series{}, args, nil // a name, or a duration that is no bar
		}
	default:
		return signal.Series{}, args, nil
	}
	series, err := signal.ParseSeries(text)
	if err != nil {
		return series, nil, c.fail(args[0], "%w", err)
	}
	return series, args[1:], nil
}

func (c *compiler) argument(s *signal.Spec, n ast.Node) (signal.Arg, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return signal.Arg{V: float64(n.Value)}, nil
	case *ast.FloatNode:
		return signal.Arg{V: n.Value}, nil
	case *ast.IdentifierNode:
		if d, err := span(n.Value); err == nil {
			return signal.Arg{V: d.Seconds(), Span: true}, nil
		}
	}
	return signal.Arg{}, c.fail(n, "an argument of %s is %s, want a number or a duration that is written down: %s", s.Name, unmask(n.String()), s.Signature())
}

// Durations begin with a digit, which no name may. The parser is shown each with its
// first digit as a letter that nobody writes; so all places stay what they are.
const digits = "αβγδεζηθικ"

func masked(digit byte) rune { return []rune(digits)[digit-'0'] }

// mask turns the bare durations of a text into names.
func mask(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n, quote := wordAt(text[i:]), text[i]
		switch {
		case quote == '"' || quote == '\'' || quote == '`':
			n = len(text) - i
			if end := strings.IndexByte(text[i+1:], quote); end >= 0 {
				n = end + 2
			}
			b.WriteString(text[i : i+n])
		case n > 0 && isDuration(text[i:i+n]):
			b.WriteRune(masked(text[i]))
			b.WriteString(text[i+1 : i+n])
		case n > 0:
			b.WriteString(text[i : i+n])
		default:
			n = 1
			b.WriteByte(text[i])
		}
		i += n
	}
	return b.String()
}

// wordAt is the length of the letters, digits, dots and lower strokes at the start.
func wordAt(text string) int {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n] == '.' || text[n] >= 0x80 || text[n] >= '0' && text[n] <= '9' ||
		text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z') {
		n++
	}
	return n
}

func isDuration(word string) bool {
	_, err := parseSpan(word)
	return err == nil && word != "0"
}

// parseSpan reads a duration as Go writes it, or whole days.
func parseSpan(word string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(word, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		return 24 * d, err
	}
	return time.ParseDuration(word)
}

// span reads a duration that mask has turned into a name.
func span(name string) (time.Duration, error) {
	text := unmask(name)
	if text == name {
		return 0, errors.New("no duration")
	}
	return parseSpan(text)
}

// unmask turns names back into durations.
func unmask(text string) string {
	for i, r := range []rune(digits) {
		text = strings.ReplaceAll(text, string(r), string(rune('0'+i)))
	}
	return text
}
