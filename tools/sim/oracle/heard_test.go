package oracle

import "testing"

func TestWhatTheStreamHasToldIsHeld(t *testing.T) {
	says := func(status string, cum int64) Account {
		return Account{Client: one, Symbol: "BTCUSDT", Order: 1, Status: status, Cum: cum}
	}
	answer := func(status int) Reply {
		return Reply{For: &Request{ID: "1", Method: "userDataStream.subscribe.signature", Args: map[string]string{}}, Status: status}
	}
	judge(t, "P10", func() Checker { return newHeard(rules()) }, map[string][]step{
		"held":           {at(0, answer(200)), at(0, says("PARTIALLY_FILLED", 5)), at(2*sec, dump(told(one, "PARTIALLY_FILLED", 5)))},
		"ahead":          {at(0, answer(200)), at(0, says("NEW", 0)), at(2*sec, dump(told(one, "PARTIALLY_FILLED", 5)))},
		"soon":           {at(0, answer(200)), at(0, says(stateCanceled, 0)), at(50*ms, dump(told(one, "NEW", 0)))},
		"of a dead life": {at(0, answer(200)), at(0, says(stateCanceled, 0)), at(0, Died{}), at(2*sec, dump(told(one, "NEW", 0)))},
		"of others":      {at(0, answer(200)), at(0, Account{Client: "web_1", Status: stateCanceled}), at(2*sec, dump(told("web_1", "NEW", 0)))},
		"garbled":        {at(0, answer(200)), at(0, Garbled{}), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"of nobody":      {at(0, answer(200)), at(0, Reply{Status: 200}), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not read on":    {at(0, answer(200)), at(0, Garbled{}), at(0, Read{}), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not kept":       {at(0, answer(504)), at(0, Read{}), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not before it":  {at(0, says(stateCanceled, 0)), at(0, answer(504)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not another's":  {at(0, answer(200)), at(0, Garbled{Conn: 1}), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"unsubscribed":   {at(0, answer(504)), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not subscribed": {at(0, answer(504)), at(0, answer(200)), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not the end":    {at(0, answer(200)), at(0, says(stateCanceled, 0)), at(2*sec, dump(told(one, "NEW", 0)))},
		"not the fill":   {at(0, answer(200)), at(0, says("PARTIALLY_FILLED", 5)), at(2*sec, dump(told(one, "NEW", 0)))},
	})
}

func TestBehindAHoleABookIsNotSeenForLong(t *testing.T) {
	event := func(from, to int64) Depth { return Depth{Conn: 1, Symbol: "BTCUSDT", First: from, Last: to} }
	called := func(id int64) Called { return Called{Symbol: "BTCUSDT", Live: true, Book: id} }
	begin := []step{at(0, Dialed{1, "market"}), at(0, event(1, 5)), at(0, Depth{Conn: 9, Symbol: "BTCUSDT", Last: 5})}
	judge(t, "P2", func() Checker { return newSeen(rules()) }, map[string][]step{
		"whole":        append(begin[:3:3], at(0, event(6, 9)), at(10*sec, called(9))),
		"soon":         append(begin[:3:3], at(0, event(7, 9)), at(sec, called(5))),
		"filled":       append(begin[:3:3], at(0, event(7, 9)), at(10*sec, event(6, 6)), at(0, called(9))),
		"not for long": append(begin[:3:3], at(0, event(7, 9)), at(10*sec, called(5))),
	})
}

func TestSnapshotsAreNotAskedForInVainAllTheTime(t *testing.T) {
	ask := func(every int64, status int) (list []step) {
		for range 40 {
			r := call("/api/v3/depth")
			r.Args["symbol"] = "BTCUSDT"
			list = append(list, at(every, r), at(0, Reply{Conn: 9, For: r, Status: status}))
		}
		return list
	}
	judge(t, "P25", func() Checker { return newCitizen() }, map[string][]step{
		"got": ask(10*ms, 200), "refused now and then": ask(sec, 503), "not at once": ask(10*ms, 503),
	})
}

func TestACancelIsNotRepeatedAllTheTime(t *testing.T) {
	ask := func(n int, every int64, orders int) (list []step) {
		for i := range n {
			list = append(list, at(every, cancel("BTCUSDT", i%orders)))
		}
		return list
	}
	judge(t, "P25", func() Checker { return newCitizen() }, map[string][]step{
		"on every way, and again": ask(12, ms, 1), "now and then": ask(100, 100*ms, 1), "of many orders": ask(100, ms, 50), "not again and again": ask(13, ms, 1),
	})
}
