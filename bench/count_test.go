package bench

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"riposte/bench/callgrind"
	"riposte/core"
)

// counted are the stages with a committed number of instructions, on corpora that
// never change. Allocations are counted over them too.
var counted = []struct {
	name string
	make func(t testing.TB, c *Corpus) *work
}{
	{"frame/burst", func(t testing.TB, c *Corpus) *work { return frameWork(t, c, false) }},
	{"frame/single", func(t testing.TB, c *Corpus) *work { return frameWork(t, c, true) }},
	{"decode/bookTicker/fast", decodeCount(core.Touch, false)},
	{"decode/bookTicker/general", decodeCount(core.Touch, true)},
	{"decode/trade/fast", decodeCount(core.Trade, false)},
	{"decode/trade/general", decodeCount(core.Trade, true)},
	{"decode/aggTrade/fast", decodeCount(core.AggTrade, false)},
	{"decode/aggTrade/general", decodeCount(core.AggTrade, true)},
	{"decode/kline/fast", decodeCount(core.Kline, false)},
	{"decode/kline/general", decodeCount(core.Kline, true)},
	{"decode/depth20/fast", madeCount(false, 20, false)},
	{"decode/depth20/general", madeCount(false, 20, true)},
	{"decode/depth100/fast", madeCount(false, 100, false)},
	{"decode/depth100/general", madeCount(false, 100, true)},
	{"decode/partial20/fast", madeCount(true, 40, false)},
	{"decode/partial20/general", madeCount(true, 40, true)},
	{"queue/hand-over", func(t testing.TB, c *Corpus) *work { return ringWork(t, c) }},
	{"queue/publish", func(t testing.TB, c *Corpus) *work { return queueWork(t, c, true) }},
	{"queue/drain", func(t testing.TB, c *Corpus) *work { return queueWork(t, c, false) }},
	{"ring/batch16", func(testing.TB, *Corpus) *work { return batchWork(16) }},
	{"book/event", func(t testing.TB, c *Corpus) *work { return syncWork(t, c) }},
	{"book/level", func(t testing.TB, c *Corpus) *work { return levelWork(t, c) }},
	{"signal", func(t testing.TB, c *Corpus) *work { return signalWork(t, c) }},
	{"gate/controls", func(t testing.TB, c *Corpus) *work { return gateWork(t, c, true, true) }},
	{"gate/approve", func(t testing.TB, c *Corpus) *work { return gateWork(t, c, false, true) }},
	{"gate/round", func(t testing.TB, c *Corpus) *work { return gateWork(t, c, false, false) }},
	{"order/encode+sign", func(t testing.TB, _ *Corpus) *work { return encodeWork(t) }},
	{"order/drafted", func(t testing.TB, _ *Corpus) *work { return draftedWork(t) }},
	{"order/sign", func(t testing.TB, _ *Corpus) *work { return signWork(t) }},
	{"order/presigned", func(t testing.TB, _ *Corpus) *work { return presignedWork(t) }},
	{"order/gateway", func(t testing.TB, c *Corpus) *work { return gatewayWork(t, c) }},
	{"journal/intent", func(t testing.TB, _ *Corpus) *work { return journalWork(t) }},
	{"whole/frame", wholeCount(true, 0)},
	{"whole/order", wholeCount(false, 0)},
	{"whole/order/presigned", wholeCount(false, 32)},
	{"replay", func(t testing.TB, c *Corpus) *work { return replayWork(t, c, false) }},
	{"answer/order", func(t testing.TB, _ *Corpus) *work { return answerWork(t) }},
	{"answer/user", func(t testing.TB, _ *Corpus) *work { return userWork(t) }},
}

func decodeCount(kind core.EventKind, general bool) func(testing.TB, *Corpus) *work {
	return func(t testing.TB, c *Corpus) *work { return decodeWork(t, c, pickKind(t, c, kind), general) }
}

func madeCount(partial bool, levels int, general bool) func(testing.TB, *Corpus) *work {
	return func(t testing.TB, c *Corpus) *work {
		return decodeWork(t, c, madeFrames(partial, levels), general)
	}
}

// TestCountedStages does every stage's work on the fixed corpus and checks what came
// of it. Run by bench/cmd/count it is counted under valgrind; else it must not
// allocate.
func TestCountedStages(t *testing.T) {
	c := corpus(t, Fixed)
	if callgrind.Running() {
		callgrind.Dump("key " + processor())
	}
	for _, s := range counted {
		if !strings.Contains(s.name, *only) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			w := s.make(t, c)
			if w.items == 0 {
				t.Fatal("nothing to do: the corpus has no such items")
			}
			if callgrind.Running() {
				count(t, s.name, w)
			} else {
				noAllocs(t, w)
			}
		})
	}
}

var only = flag.String("count.only", "", "count only stages whose name has this in it")

// processor is what a count depends on beside the code: the compiler, and the
// features by which code chooses its road.
func processor() string {
	var has []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"sse41", cpu.X86.HasSSE41}, {"sse42", cpu.X86.HasSSE42}, {"popcnt", cpu.X86.HasPOPCNT}, {"aes", cpu.X86.HasAES},
		{"pclmulqdq", cpu.X86.HasPCLMULQDQ}, {"avx", cpu.X86.HasAVX}, {"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA},
		{"bmi1", cpu.X86.HasBMI1}, {"bmi2", cpu.X86.HasBMI2}, {"adx", cpu.X86.HasADX}, {"erms", cpu.X86.HasERMS},
		{"avx512", cpu.X86.HasAVX512},
	} {
		if f.has {
			has = append(has, f.name)
		}
	}
	return runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + " " + strings.Join(has, ",")
}

// countedPasses is how often a stage is counted. Its passes are alike; what the
// runtime puts between them, if it does, is not in all of them.
const countedPasses = 5

// count lets callgrind see some passes, one dump each, named by stage and items.
func count(t *testing.T, name string, w *work) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pass := func() {
		callgrind.Begin()
		w.pass()
		callgrind.End()
	}
	if w.clock != nil {
		w.clock.counting = true
		pass = w.pass
	}
	w.pass()
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	w.pass() // by now buffers have grown to their size
	callgrind.Instrument(true)
	for range countedPasses {
		pass()
		callgrind.Dump(fmt.Sprintf("%s %d", name, w.items))
	}
	callgrind.Instrument(false)
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}
