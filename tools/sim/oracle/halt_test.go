package oracle

import (
	"fmt"
	"testing"
)

func TestNothingLeavesAfterAHalt(t *testing.T) {
	make := func() Checker { return newHalt(rules()) }
	stopped := Dump{Halted: []string{"loss limit"}}
	judge(t, "P13", make, map[string][]step{
		"in the same moment": {at(0, Started{Life: 1}), at(0, Halted{}), at(ms, begin(one))},
		"resumed":            {at(0, Started{Life: 1}), at(0, Halted{}), at(sec, Resumed{}), at(sec, begin(one))},
		"one symbol":         {at(0, Started{Life: 1}), at(0, Halted{Scope: "BTCUSDT"}), at(sec, begin(one))},
		"not after":          {at(0, Started{Life: 1}), at(0, Halted{}), at(2*ms, begin(one))},
		"cancels go on":      {at(0, Started{Life: 1}), at(0, Halted{}), at(sec, cancel("BTCUSDT", 1))},
	})
	judge(t, "P14", make, map[string][]step{
		"an end is no halt":     {at(0, Started{Life: 1}), at(0, Halted{Stop: true}), at(sec, Died{Clean: true}), at(0, Started{Life: 2}), at(sec, begin(one))},
		"resumed in between":    {at(0, Started{Life: 1}), at(0, Halted{}), at(0, Died{}), at(0, Resumed{}), at(0, Started{Life: 2}), at(sec, begin(one))},
		"not after a restart":   {at(0, Started{Life: 1}), at(0, Halted{}), at(0, Died{}), at(0, Started{Life: 2}), at(sec, begin(one))},
		"lifted before":         {at(0, stopped), at(2*sec, Dump{}), at(0, Died{}), at(0, Started{Life: 2}), at(sec, begin(one))},
		"too new to be on file": {at(0, stopped), at(sec/2, Died{}), at(0, Started{Life: 2}), at(sec, begin(one))},
		"not the gate's own":    {at(0, stopped), at(2*sec, Died{}), at(0, Started{Life: 2}), at(sec, begin(one))},
	})
}

func TestRefusalsAndARefusedKeyStopTrading(t *testing.T) {
	said := func(status, code int) Reply { return Reply{Conn: 1, For: place(one), Status: status, Code: code} }
	judge(t, "P13", func() Checker { return newRejects(rules()) }, map[string][]step{
		"one":         {at(0, said(400, -2010)), at(sec, begin(two))},
		"not two":     {at(0, said(400, -2010)), at(0, said(400, -2010)), at(sec, begin(two))},
		"not in row":  {at(0, said(400, -2010)), at(0, said(400, -1013)), at(0, said(200, 0)), at(sec, begin(two))},
		"in between":  {at(0, said(400, -2010)), at(0, said(200, 0)), at(0, said(400, -2010)), at(sec, begin(two))},
		"by stream":   {at(0, said(400, -2010)), at(0, Account{Client: one, Status: "NEW"}), at(0, said(400, -2010)), at(sec, begin(two))},
		"unknown":     {at(0, said(503, -1007)), at(0, said(503, -1007)), at(sec, begin(two))},
		"resumed":     {at(0, said(400, -2010)), at(0, said(400, -2010)), at(0, Resumed{}), at(sec, begin(two))},
		"same moment": {at(0, said(400, -2010)), at(0, said(400, -2010)), at(0, begin(two))},
	})
	judge(t, "P13", func() Checker { return newKey() }, map[string][]step{
		"refused for other reasons": {at(0, said(400, -2010)), at(sec, begin(two))},
		"not with a refused key":    {at(0, said(401, -2015)), at(sec, begin(two)), at(sec, dump())},
		"changed":                   {at(0, said(401, -2015)), at(0, Rekeyed{}), at(sec, begin(two)), at(sec, dump())},
		"changed just now":          {at(0, said(401, -2015)), at(sec, begin(two)), at(0, Rekeyed{}), at(sec, dump())},
		"not changed later":         {at(0, said(401, -2015)), at(sec, begin(two)), at(ms, Rekeyed{}), at(sec, dump())},
	})
}

func TestCancelsLeaveWhateverStopsTrading(t *testing.T) {
	link := []step{at(0, Dialed{1, "orders"}), at(0, Dialed{2, "orders"}), at(0, taken(one, 1)), at(0, dump(told(one, "NEW", 0)))}
	answer := at(sec, Reply{Conn: 1, For: call("/api/v3/ping"), Status: 200})
	with := func(rest ...step) []step { return append(link[:len(link):len(link)], rest...) }
	second := cancel("BTCUSDT", 2)
	done := Reply{Conn: 1, For: second, Status: 200}
	// Four orders are cancelled one after the other on one connection; one is left.
	queue := func(busy bool) (list []step) {
		list = append(list, answer, at(0, Reply{Conn: 2, For: call("/api/v3/ping"), Status: 200}), at(0, Halted{}))
		for order := 2; order < 6; order++ {
			r, other := cancel("BTCUSDT", order), &Request{Conn: 2, Path: "/api/v3/ping"}
			list = append(list, at(0, taken(fmt.Sprint("rp-0000001-0000000", order), int64(order))), at(0, r))
			if busy {
				list = append(list, at(0, other))
			}
			list = append(list, at(sec*9/10, Reply{Conn: 1, For: r, Status: 200}))
			if busy {
				list = append(list, at(0, Reply{Conn: 2, For: other, Status: 200}))
			}
		}
		return append(list, at(0, dump()))
	}
	judge(t, "P15", func() Checker { return newWayOut(rules()) }, map[string][]step{
		"cancelled":              with(at(sec, Halted{}), at(0, cancel("BTCUSDT", 1)), answer, answer, answer, at(0, dump())),
		"ended":                  with(at(sec, Halted{}), at(0, Ended{Symbol: "BTCUSDT", Order: 1}), answer, answer, answer, at(0, dump())),
		"line lost":              with(at(sec, Halted{}), at(0, Closed{2}), answer, answer, answer, at(0, dump())),
		"no answers":             with(at(sec, Halted{}), at(5*sec, dump())),
		"asked to wait":          with(at(0, Reply{Conn: 1, For: place(two), Status: 429, Retry: 30 * sec}), at(sec, Halted{}), answer, answer, answer, at(0, dump())),
		"not cancelled":          with(at(sec, Halted{}), answer, answer, answer, at(0, dump())),
		"behind another":         with(at(0, taken(two, 2)), at(sec, Halted{}), answer, at(sec, second), at(0, done), answer, at(0, dump())),
		"not behind it for ever": with(at(0, taken(two, 2)), at(sec, Halted{}), answer, at(sec, second), at(0, done), answer, answer, answer, at(0, dump())),
		"no line is free":        with(queue(true)...),
		"not while one is free":  with(queue(false)...),
		"not on a bad disk":      with(at(sec, DiskFails{"sync"}), answer, answer, answer, at(0, dump())),
		"nothing stops it":       with(answer, answer, answer, at(0, dump())),
		"overdue":                with(at(sec, Halted{}), answer, at(0, cancel("BTCUSDT", 9)), answer, answer, answer, at(0, dump())),
	})
}

func TestCutOffTheEngineHasNoOrders(t *testing.T) {
	subscribe := &Request{Conn: 5, ID: "1", Method: "userDataStream.subscribe.signature", Args: map[string]string{}}
	up := []step{at(0, Started{Life: 1, Epoch: 1}), at(0, Dialed{1, "orders"}), at(0, Dialed{2, "orders"}), at(0, Dialed{5, "account"}),
		at(0, Reply{Conn: 5, For: subscribe, Status: 200}), at(0, Dialed{7, "market"}), at(0, Depth{Conn: 7, Symbol: "BTCUSDT", First: 1, Last: 2}), at(0, taken(one, 1))}
	answer := at(sec, Reply{Conn: 1, For: call("/api/v3/ping"), Status: 200})
	wait := []step{answer, answer, answer, answer, answer, answer, answer, answer, answer, at(0, dump())}
	with := func(rest ...step) []step { return append(append(up[:len(up):len(up)], rest...), wait...) }
	deaf := []step{at(sec, Closed{5}), at(0, Reply{Conn: 5, For: cancel("BTCUSDT", 1), Status: 401, Code: -2015})}
	lost := append(up[:len(up):len(up)], at(sec, Closed{5}), at(0, Closed{1}), at(0, Closed{2}))
	back := append(lost[:len(lost):len(lost)], at(9*sec, Dialed{3, "orders"}), at(0, Dialed{4, "orders"}))
	again := at(sec, Reply{Conn: 3, For: call("/api/v3/ping"), Status: 200})
	judge(t, "P16", func() Checker { return newDeadMan(rules()) }, map[string][]step{
		"a way just now":   append(back[:len(back):len(back)], again, at(0, dump())),
		"not a way again":  append(back[:len(back):len(back)], again, again, again, again, at(0, dump())),
		"heard":            with(),
		"gone":             with(at(sec, Closed{5}), at(sec, Ended{Symbol: "BTCUSDT", Order: 1})),
		"back":             with(at(sec, Closed{5}), at(sec, Dialed{6, "account"}), at(0, Reply{Conn: 6, For: subscribe, Status: 200})),
		"not deaf":         with(at(sec, Closed{5})),
		"not unsubscribed": with(at(sec, Account{Conn: 5, Termination: true})),
		"not blind":        with(at(sec, Closed{7})),
		"a quiet line":     with(at(0, Dialed{8, "market"}), at(0, Read{Conn: 8}), at(sec, Closed{7})),
		"not a dead line":  with(at(0, Dialed{8, "market"}), at(0, Read{Conn: 8}), at(20*sec, Closed{7})),
		"woken up":         append(append(up[:len(up):len(up)], at(sec, Closed{5}), answer, answer), at(20*sec, Reply{Conn: 1, For: call("/api/v3/ping"), Status: 200}), at(0, dump())),
		"another line":     with(at(0, Depth{Conn: 8, Symbol: "BTCUSDT", First: 1, Last: 2}), at(sec, Closed{7})),
		"no way to cancel": with(at(sec, Closed{5}), at(0, Closed{1})),
		"a refused key":    with(at(sec, Closed{5}), at(0, Reply{Conn: 5, For: cancel("BTCUSDT", 1), Status: 401, Code: -2015})),
		"a new key":        with(append(append(deaf[:len(deaf):len(deaf)], wait[:6]...), at(0, Rekeyed{}), answer, answer, answer, at(0, dump()), at(0, Closed{1}))...),
		"not an old one":   with(append(append(deaf[:len(deaf):len(deaf)], wait...), at(0, Rekeyed{}))...),
		"not an old one's": with(append(append(deaf[:len(deaf):len(deaf)], at(0, Rekeyed{})), append(wait[:5:5], at(0, Reply{Conn: 5, For: cancel("BTCUSDT", 2), Status: 401, Code: -2015}))...)...),
		"not of another":   with(at(sec, Closed{5}), at(0, Reply{Conn: 5, For: cancel("BTCUSDT", 2), Status: 401, Code: -2015})),
		"came afterwards":  with(at(sec, Closed{5}), at(0, Ended{Symbol: "BTCUSDT", Order: 1}), at(sec, taken(two, 2))),
	})
}

func TestNoOrderLeavesBeforeTheAccountIsKnown(t *testing.T) {
	subscribe := func(conn int) Reply {
		return Reply{Conn: conn, For: &Request{Conn: conn, ID: "1", Method: "userDataStream.subscribe.signature", Args: map[string]string{}}, Status: 200}
	}
	open, balances := call("/api/v3/openOrders"), call("/api/v3/account")
	known := []step{at(sec, open), at(0, Reply{For: open, Status: 200}), at(0, balances), at(0, Reply{For: balances, Status: 200})}
	birth := []step{at(0, Started{Life: 1, Epoch: 1}), at(0, Dialed{5, "account"}), at(sec, subscribe(5))}
	chain := func(parts ...[]step) (all []step) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	again := []step{at(sec, Closed{5}), at(0, Dialed{6, "account"}), at(sec, subscribe(6))}
	order := []step{at(0, begin(one))}
	judge(t, "P17", func() Checker { return newReconciled(rules()) }, map[string][]step{
		"known":                chain(birth, known, order),
		"not known":            chain(birth, order),
		"not half known":       chain(birth, known[:2], order),
		"not known again":      chain(birth, known, again, order),
		"known again":          chain(birth, known, again, known, order),
		"not deaf":             chain(birth, known, []step{at(0, Closed{5}), at(sec, begin(one))}),
		"not ended":            chain(birth, known, []step{at(0, Account{Conn: 5, Termination: true}), at(sec, begin(one))}),
		"not silent":           chain(birth, known, []step{at(7*sec, begin(one))}),
		"quiet":                chain(birth, known, []step{at(5*sec, Read{Conn: 5}), at(5*sec, begin(one))}),
		"not of a former life": {at(0, taken(one, 1)), at(0, Healed{}), at(0, Started{Life: 2, Epoch: 2}), at(31*sec, dump())},
		"of this life":         {at(0, Healed{}), at(0, Started{Life: 2, Epoch: 2}), at(0, taken(later, 1)), at(31*sec, dump())},
		"taken back":           {at(0, taken(one, 1)), at(0, Healed{}), at(0, Started{Life: 2, Epoch: 2}), at(sec, Ended{Symbol: "BTCUSDT", Order: 1}), at(31*sec, dump())},
	})
}

func TestWhatOthersHaveIsNotTouched(t *testing.T) {
	theirs := Accepted{Client: "human", Symbol: "BTCUSDT", Order: 7, Foreign: true}
	judge(t, "P21", func() Checker { return newForeign(rules()) }, map[string][]step{
		"ours":          {at(0, theirs), at(0, cancel("BTCUSDT", 8))},
		"another's":     {at(0, theirs), at(0, cancel("ETHUSDT", 7))},
		"not theirs":    {at(0, theirs), at(0, cancel("BTCUSDT", 7))},
		"not all":       {at(0, &Request{Method: "DELETE", Path: "/api/v3/openOrders", Args: map[string]string{}})},
		"not by a twin": {at(0, Started{Epoch: 1}), at(0, Account{Client: later}), at(sec, begin(one))},
		"of before":     {at(0, Started{Epoch: 1}), at(0, Started{Epoch: 2}), at(0, Account{Client: one}), at(sec, begin(later))},
		"by a human":    {at(0, Started{Epoch: 1}), at(0, Account{Client: "web_1"}), at(sec, begin(one))},
	})
}

func TestTheVenueIsNotBothered(t *testing.T) {
	var many, few []step
	for range 301 {
		many = append(many, at(sec/2, Tried{"market"}))
		few = append(few, at(sec, Tried{"market"}))
	}
	hurry := []step{at(0, Dialed{1, "market"}), at(0, Wrote{1, nil})}
	for range 6 {
		hurry = append(hurry, at(sec/8, Wrote{1, nil}))
	}
	slow := Reply{For: call("/api/v3/depth"), Status: 429, Code: -1003, Retry: 5 * sec}
	full := Reply{For: place(one), Status: 429, Code: -1015, Retry: 5 * sec}
	judge(t, "P25", func() Checker { return newCitizen() }, map[string][]step{
		"few tries":        few,
		"not many tries":   many,
		"not six messages": hurry,
		"five messages":    hurry[:len(hurry)-1],
		"waited":           {at(0, slow), at(5*sec, place(one))},
		"not waited":       {at(0, slow), at(4*sec, cancel("BTCUSDT", 1))},
		"cancels go on":    {at(0, full), at(4*sec, cancel("BTCUSDT", 1))},
		"orders not":       {at(0, full), at(5*sec, place(one))},
		"not orders":       {at(0, full), at(4*sec, place(one))},
	})
}
