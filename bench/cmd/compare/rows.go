package main

import "strings"

// row is a line of the table: one stage, who else does it, and what it shall reach.
type row struct {
	stage string
	ours  string // key of our result
	unit  string // of ours, "" for ns/op; the others' too
	match string // contest whose peers and floors stand beside ours, "" for none
	floor string // key of the floor, or what the keys of several begin with; "" for the contest's floor-
	goals []goal
}

// goal is one target. The kinds are told apart by which of the fields are set.
type goal struct {
	unit   string  // of ours where it is not the row's
	atMost float64 // ours, absolutely
	least  float64 // ours, absolutely
	of     float64 // ours at most this many times the floor, or than
	times  float64 // than at least this many times ours; "" in than is the best peer
	than   string  // key
	allocs bool    // none of ours
	what   string  // in words, where the key says too little
}

const (
	decode = "peers:Decode/"
	hmac   = "peers:Sign/hmac"
)

// rows is the plan of record, section 5, row by row; stages without goals are there to
// be seen. What it asks for and another program measures is in elsewhere.
var rows = []row{
	parse("bookTicker", goal{times: 10}),
	parse("trade", goal{times: 10}),
	parse("depth20", goal{times: 7, than: decode + "depth20/sonic"}),
	parse("depth100", goal{times: 7, than: decode + "depth100/sonic"}),
	twin("depth20"),
	twin("depth100"),
	fallback("bookTicker"),
	fallback("trade"),
	fallback("depth20"),
	fallback("depth100"),
	level("spot"),
	level("usdm"),
	{stage: "ring, one way", ours: "peers:Ring/one-way/riposte", match: "peers:Ring/one-way", floor: "peers:Ring/one-way/limit-", goals: []goal{
		{of: 2, what: "bare cache line"},
		{times: 1, than: "peers:Ring/one-way/floor-c-ring", what: "plain C ring"}}},
	{stage: "ring, 64 B by sixteens", ours: "peers:Ring/batch16/riposte", match: "peers:Ring/batch16", goals: []goal{
		{atMost: 5}, {times: 5, than: "peers:Ring/single/floor-c-ring", what: "plain C ring one by one"}}},
	{stage: "ring, 64 B one by one", ours: "peers:Ring/single/riposte", match: "peers:Ring/single"},
	{stage: "ring, 64 B by sixteens, one thread", ours: "peers:Ring/inline16/riposte", match: "peers:Ring/inline16"},
	{stage: "frame from a socket, CPU", ours: "peers:Frame/loopback/riposte", unit: "cpu-ns/op", match: "peers:Frame/loopback",
		floor: "peers:Frame/loopback/limit-c-recv", goals: []goal{
			{atMost: 100}, {times: 2, than: "peers:Frame/loopback/gobwas-reused"}, {allocs: true}}},
	{stage: "frame from memory", ours: "peers:Frame/memory/riposte", match: "peers:Frame/memory", goals: []goal{
		{times: 2, than: "peers:Frame/memory/gobwas-reused"}, {allocs: true}}},
	{stage: "gate, all controls", ours: "bench:Gate/approve", goals: []goal{{atMost: 60}, {allocs: true}}},
	{stage: "sign on a miss, laid out", ours: "bench:Encode/order", match: hmac, floor: hmac + "/floor-c-prefix", goals: []goal{
		{atMost: 200}, {of: 1.5, what: "C with midstates, signature only"}, {times: 4, than: hmac + "/go-binance", what: "go-binance, signature only"}, {allocs: true}}},
	{stage: "sign on a miss, drafted", ours: "bench:Encode/drafted", match: hmac, floor: hmac + "/floor-c-prefix", goals: []goal{
		{atMost: 200}, {of: 1.5, what: "C with midstates, signature only"}, {times: 4, than: hmac + "/go-binance", what: "go-binance, signature only"}, {allocs: true}}},
	{stage: "signature alone, whole payload", ours: hmac + "/riposte", match: hmac, floor: hmac + "/floor-c-key", goals: []goal{
		{of: 1.5, what: "C with midstates"}, {times: 4, than: hmac + "/go-binance"}, {allocs: true}}},
	{stage: "pre-signed hit", ours: "bench:Presigned/order", goals: []goal{{atMost: 40}, {allocs: true}}},
	{stage: "order placed and answered", ours: "peers:Order/loopback/riposte", match: "peers:Order/loopback"},
	{stage: "bytes in to written, p50", ours: "bench:Whole/spot/presigned", unit: "p50-ns/bookTicker", goals: []goal{{atMost: 500}, {allocs: true}}},
	{stage: "bytes in to written, p99", ours: "bench:Whole/spot/presigned", unit: "p99-ns/bookTicker", goals: []goal{{atMost: 1500}}},
	{stage: "bytes in to written, p99.9", ours: "bench:Whole/spot/presigned", unit: "p99.9-ns/bookTicker", goals: []goal{{atMost: 5000}}},
	{stage: "whole recording spot", ours: "peers:Whole/spot/riposte", match: "peers:Whole/spot", goals: []goal{{times: 10}, {allocs: true}}},
	{stage: "whole recording usdm", ours: "peers:Whole/usdm/riposte", match: "peers:Whole/usdm", goals: []goal{{times: 10}, {allocs: true}}},
	{stage: "both recordings, mixed frames", ours: "bench:Replay/both", goals: []goal{
		{unit: "M-items/s", least: 5, what: "million frames/s"}, {unit: "MB/s", least: 1200, what: "MB/s"}, {allocs: true}}},
	{stage: "400 symbols at once", ours: "bench:Replay/many/interleaved", goals: []goal{
		{of: 1.5, than: "bench:Replay/spot", what: "one symbol"},
		{of: 1.5, than: "bench:Replay/many/onebyone", what: "the same one by one"},
		{unit: "resident-KiB/symbol", atMost: 40_000.0 / 400 / 1.024, what: "KiB a symbol (40 MB in all)"}}},
}

// elsewhere is what the plan asks for and this run does not measure.
var elsewhere = []string{
	"wire to wire, spin and park, plain and TLS, beside the C echo, the Go echo and the usual stack: make bench, file path",
	"parse and depth against C++ simdjson, ring against rigtorp and boost: C++ libraries, not built here; floors in C stand for what is possible",
	"go-disruptor: no version of it is to be had from the module proxy",
}

func parse(kind string, than goal) row {
	return row{stage: "parse " + kind, ours: decode + kind + "/riposte", match: decode + kind,
		goals: []goal{{of: 1.25}, than, {allocs: true}}}
}

// twin is the road without vectors, for processors that do not have them.
func twin(kind string) row {
	return row{stage: "parse " + kind + ", no vectors", ours: decode + kind + "/riposte-scalar", match: decode + kind,
		goals: []goal{{unit: "ns/level", atMost: 9, what: "ns a level"}, {allocs: true}}}
}

func fallback(kind string) row {
	return row{stage: "parse " + kind + ", fallback", ours: decode + kind + "/riposte-general", match: decode + kind, goals: []goal{
		{of: 3, than: decode + kind + "/riposte", what: "our fast path"},
		{times: 1, than: decode + kind + "/fastjson"}, {allocs: true}}}
}

func level(market string) row {
	return row{stage: "book, one level and both bests, " + market, ours: "peers:Book/" + market + "/riposte", match: "peers:Book/" + market,
		goals: []goal{{atMost: 10}, {of: 1.3, what: "C flat array"}, {times: 4}}}
}

// pattern is the regular expression of a program's benchmarks that the rows need.
func pattern(rows []row, program string) string {
	var list []string
	seen := map[string]bool{}
	add := func(key string) {
		name, ok := strings.CutPrefix(key, program+":")
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		parts := strings.Split("Benchmark"+name, "/")
		for i := range parts {
			parts[i] = "^" + parts[i] + "$"
		}
		list = append(list, strings.Join(parts, "/"))
	}
	for _, r := range rows {
		add(r.ours)
		for _, g := range r.goals {
			add(g.than)
		}
	}
	return strings.Join(list, "|")
}
