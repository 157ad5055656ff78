package oracle

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

func TestAStrategySeesOnlyBooksThatAreProved(t *testing.T) {
	event := func(conn int, from, to int64) Depth {
		return Depth{Conn: conn, Symbol: "BTCUSDT", First: from, Last: to}
	}
	snapshot := func(id int64) Depth { return Depth{Symbol: "BTCUSDT", Last: id} }
	see := func(id int64) Called { return Called{Symbol: "BTCUSDT", Live: true, Book: id} }
	asks := &Request{Conn: 2, Method: "SUBSCRIBE", Streams: []string{"ethusdt@trade", "btcusdt@depth@100ms"}}
	joins := Reply{Conn: 2, For: asks}
	judge(t, "P2", func() Checker { return newSeen(rules()) }, map[string][]step{
		"bridged":                   {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, event(1, 11, 12)), at(0, see(12))},
		"overlapping":               {at(0, event(1, 5, 10)), at(0, event(2, 8, 12)), at(0, snapshot(4)), at(0, see(12))},
		"out of order by lines":     {at(0, event(1, 11, 12)), at(0, event(2, 5, 10)), at(0, snapshot(4)), at(0, see(12))},
		"not bridged":               {at(0, event(1, 9, 10)), at(0, snapshot(7)), at(0, see(10))},
		"not over a hole":           {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, event(1, 12, 12)), at(0, see(12))},
		"not without snapshot":      {at(0, event(1, 5, 10)), at(0, see(10))},
		"not without a book":        {at(0, Called{Symbol: "BTCUSDT"})},
		"told of an order":          {at(0, Called{Symbol: "BTCUSDT", Report: true})},
		"not in the dark":           {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, Closed{1}), at(sec, see(10))},
		"on a confirmed line":       {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, joins), at(0, Closed{1}), at(sec, see(10))},
		"not on a refused line":     {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, Dialed{2, "market"}), at(0, Reply{Conn: 2, For: asks, Code: -1}), at(0, Closed{1}), at(sec, see(10))},
		"not on a line of others":   {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, Dialed{2, "market"}), at(0, Depth{Conn: 2, Symbol: "ETHUSDT", First: 1, Last: 1}), at(0, Closed{1}), at(sec, see(10))},
		"not unsubscribed":          {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, &Request{Conn: 1, Method: "UNSUBSCRIBE", Streams: asks.Streams}), at(sec, see(10))},
		"proved as it went dark":    {at(0, event(1, 5, 10)), at(0, Closed{1}), at(sec, snapshot(10)), at(0, see(10))},
		"not proved in the dark":    {at(0, event(1, 5, 10)), at(0, Closed{1}), at(sec, snapshot(10)), at(sec, see(10))},
		"on another line":           {at(0, event(1, 5, 10)), at(0, event(2, 5, 10)), at(0, snapshot(7)), at(0, Closed{1}), at(sec, see(10))},
		"not on the new line alone": {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, Closed{1}), at(sec, event(2, 11, 12)), at(0, see(12))},
		"the last event of a line":  {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, event(1, 11, 11)), at(0, Closed{1}), at(0, joins), at(0, Called{Symbol: "BTCUSDT", Live: true, Event: true, Book: 11})},
		"not by its timer":          {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, event(1, 11, 11)), at(0, Closed{1}), at(0, joins), at(0, see(11))},
		"not a moment later":        {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, event(1, 11, 11)), at(0, Closed{1}), at(0, joins), at(1, Called{Symbol: "BTCUSDT", Live: true, Event: true, Book: 11})},
		"a new line that goes on":   {at(0, event(1, 5, 10)), at(0, snapshot(11)), at(0, Closed{1}), at(sec, event(2, 11, 12)), at(0, see(12))},
		"synced anew":               {at(0, event(1, 5, 10)), at(0, snapshot(7)), at(0, Closed{1}), at(sec, event(2, 21, 22)), at(0, snapshot(21)), at(0, see(22))},
	})
}

func TestNoOrderLeavesOnOldData(t *testing.T) {
	event := func(to int64) Depth { return Depth{Conn: 1, Symbol: "BTCUSDT", First: to, Last: to} }
	touch := func(id int64) Touch { return Touch{Conn: 1, Symbol: "BTCUSDT", ID: id} }
	asks := &Request{Conn: 2, Method: "SUBSCRIBE", Streams: []string{"ethusdt@trade", "btcusdt@depth@100ms"}}
	joins := Reply{Conn: 2, For: asks}
	judge(t, "P3", func() Checker { return newAge(rules()) }, map[string][]step{
		"fresh":                              {at(0, event(1)), at(700*ms, place(one))},
		"not old":                            {at(0, event(1)), at(800*ms, place(one))},
		"not unseen":                         {at(0, place(one))},
		"quiet, alive":                       {at(0, event(1)), at(sec, Read{Conn: 1}), at(sec/2, place(one))},
		"not alive, but owed":                {at(0, event(1)), at(0, touch(2)), at(sec, Read{Conn: 1}), at(sec/2, place(one))},
		"paid":                               {at(0, event(1)), at(0, touch(2)), at(sec, event(2)), at(sec/2, place(one))},
		"not another's line":                 {at(0, event(1)), at(sec, Read{Conn: 2}), at(sec/2, place(one))},
		"a confirmed line that says nothing": {at(0, event(1)), at(0, joins), at(3*sec+1, Read{Conn: 2}), at(sec/2, place(one))},
		"not just confirmed":                 {at(0, event(1)), at(0, joins), at(2*sec, Read{Conn: 2}), at(sec/2, place(one))},
		"not refused":                        {at(0, event(1)), at(0, Reply{Conn: 2, For: asks, Code: -1}), at(4*sec, Read{Conn: 2}), at(sec/2, place(one))},
		"not ended again":                    {at(0, event(1)), at(0, joins), at(0, &Request{Conn: 2, Method: "UNSUBSCRIBE", Streams: asks.Streams}), at(4*sec, Read{Conn: 2}), at(sec/2, place(one))},
		"late, within reason":                {at(5*sec, Read{Conn: 1, Left: 4500 * ms}), at(0, event(1)), at(100*ms, place(one))},
		"not late":                           {at(5*sec, Read{Conn: 1, Left: 1}), at(0, event(1)), at(100*ms, place(one))},
		"not alive but late":                 {at(0, event(1)), at(5*sec, Read{Conn: 1, Left: sec}), at(0, place(one))},
		"two lines, one late":                {at(5*sec, Read{Conn: 1, Left: 4900 * ms}), at(0, event(1)), at(0, Read{Conn: 2, Left: sec}), at(0, Depth{Conn: 2, Symbol: "BTCUSDT", First: 1, Last: 1}), at(100*ms, place(one))},
	})
}

func TestWhatIsShownIsNoBetterThanItIs(t *testing.T) {
	shows := func(f Face, d Dump) Dump {
		d.Claimed = &f
		return d
	}
	good, half := Face{State: "active", BooksLive: 1, Books: 1, Market: "live"}, Face{State: "halted", BooksLive: 0, Books: 1, Problems: 1, Market: "waiting"}
	live, dead := Dump{Books: []BookDump{{"BTCUSDT", "live", 1}}}, Dump{Books: []BookDump{{"BTCUSDT", "stale", 1}}}
	halted := Dump{Books: live.Books, Halted: []string{"killed"}}
	doubt := Dump{Books: live.Books, Orders: []OrderDump{told(one, stateUnknown, 0)}}
	judge(t, "P26", func() Checker { return newFace() }, map[string][]step{
		"as it is":         {at(0, live), at(3*sec, shows(good, live))},
		"worse than it is": {at(0, live), at(3*sec, shows(half, live))},
		"a moment behind":  {at(0, dead), at(sec, shows(good, dead))},
		"not live":         {at(0, dead), at(3*sec, shows(good, dead))},
		"not active":       {at(0, halted), at(3*sec, shows(good, halted))},
		"not sure":         {at(0, doubt), at(3*sec, shows(good, doubt))},
		"not on a line":    {at(0, Dialed{1, "market"}), at(0, Closed{1}), at(3*sec, shows(good, live))},
		"no problem":       {at(0, halted), at(3*sec, shows(half, halted))},
	})
}

func TestTheDiskStopsOrdersAndDamageStopsTheStart(t *testing.T) {
	judge(t, "P19", func() Checker { return newDisk() }, map[string][]step{
		"before":       {at(0, begin(one)), at(sec, DiskFails{"sync"})},
		"not after":    {at(0, DiskFails{"sync"}), at(sec, begin(one))},
		"another life": {at(0, DiskFails{"sync"}), at(0, Died{}), at(sec, begin(one))},
		"cancels":      {at(0, DiskFails{"sync"}), at(sec, cancel("BTCUSDT", 1))},
	})
	judge(t, "P18", func() Checker { return newDamage() }, map[string][]step{
		"refused": {at(0, Damaged{"a byte changed"}), at(0, Refused{}), at(0, begin(one))},
		"not so":  {at(0, Damaged{"a byte changed"}), at(0, Started{}), at(0, begin(one))},
	})
}

func TestOrdersAreSignedForTheirMoment(t *testing.T) {
	wish := Asked{Symbol: "BTCUSDT", Price: 100 * scale, Qty: scale}
	window := placeAt(one, 10*sec)
	window.Args["recvWindow"] = "60000"
	judge(t, "P20", func() Checker { return newClock(rules()) }, map[string][]step{
		"now":                 {at(10*sec, placeAt(one, 10*sec))},
		"signed ahead":        {at(10*sec, placeAt(one, 10*sec-2500*ms))},
		"not so far ahead":    {at(10*sec, placeAt(one, 10*sec-3*sec))},
		"not from the future": {at(10*sec, placeAt(one, 11*sec))},
		"not for so long":     {at(10*sec, window)},
		"asked for":           {at(10*sec, wish), at(250*ms, placeAt(one, 10*sec))},
		"not long ago":        {at(9*sec, wish), at(sec, placeAt(one, 10*sec))},
		"not asked for":       {at(10*sec, Asked{Symbol: "BTCUSDT", Price: 1, Qty: 1}), at(0, placeAt(one, 10*sec))},
		"not once more":       {at(10*sec, wish), at(0, wish), at(0, placeAt(one, 10*sec)), at(0, placeAt(one, 10*sec)), at(0, Asked{}), at(0, placeAt(one, 10*sec))},
	})
}

// record is a whole journal record, as the format has it.
func record(kind byte, payload string) []byte {
	b := make([]byte, recordHead, recordHead+len(payload))
	b = append(b, payload...)
	binary.LittleEndian.PutUint32(b, uint32(len(b)-8))
	b[16], b[17] = kind, 1
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.LittleEndian.PutUint32(b[4:], crc32.Update(crc32.Update(0, table, b[:4]), table, b[8:]))
	return b
}

func TestAnIntentIsOnDiskBeforeItsFirstByte(t *testing.T) {
	r := rules()
	dir := t.TempDir()
	name := filepath.Join(dir, "00000001.journal")
	whole := record(recordIntent, "\x13"+one+"y")
	torn := record(recordIntent, two)
	torn[len(torn)-1]++
	if err := os.WriteFile(name, append(append(append(record(4, three), whole...), torn...), make([]byte, 4096)...), 0o600); err != nil {
		t.Fatal(err)
	}
	judge(t, "P4", func() Checker { return newIntent() }, map[string][]step{
		"whole":            {at(0, Started{Journal: dir}), at(0, begin(one)), at(0, place(one))},
		"not torn":         {at(0, Started{Journal: dir}), at(0, begin(two))},
		"not of that kind": {at(0, Started{Journal: dir}), at(0, place(three))},
		"no order":         {at(0, Started{Journal: dir}), at(0, cancel("BTCUSDT", 1))},
	})
	judge(t, "P12", func() Checker { return newTag(r) }, map[string][]step{
		"ours":                 {at(0, Started{Epoch: 1}), at(0, place(one)), at(0, place(two))},
		"not again":            {at(0, Started{Epoch: 1}), at(0, place(one)), at(0, place(one))},
		"not of another life":  {at(0, Started{Epoch: 2}), at(0, place(one))},
		"not of another maker": {at(0, Started{Epoch: 1}), at(0, place("web_abcdef"))},
		"not another's":        {at(0, Started{Epoch: 1}), at(0, place("xx-0000001-00000001"))},
	})
}
