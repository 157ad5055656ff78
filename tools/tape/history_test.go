package tape

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// zipped writes a file of the venue's public history.
func zipped(t testing.TB, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create(strings.TrimSuffix(name, ".zip") + ".csv")
	if err == nil {
		_, err = io.WriteString(w, strings.Join(lines, "\n")+"\n")
	}
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHistoryBecomesTheFramesOfItsStreams(t *testing.T) {
	for _, c := range []struct {
		file  string
		lines []string
		unit  core.TimeUnit
		in    core.TimeUnit
		want  []said
	}{
		{"BTCUSDT-trades-2024-08-08.zip", []string{
			"3737400000,61700.01000000,0.00100000,61.70001000,1723075200003,True,True",
			"3737400001,61700.00000000,0.50000000,30850.00000000,1723075200004,False,True",
		}, core.Milliseconds, core.Milliseconds, []said{
			{recv: 1723075200003000000, payload: `{"stream":"btcusdt@trade","data":{"e":"trade","E":1723075200003,"s":"BTCUSDT","t":3737400000,"p":"61700.01000000","q":"0.00100000","T":1723075200003,"m":true,"M":true}}`},
			{recv: 1723075200004000000, payload: `{"stream":"btcusdt@trade","data":{"e":"trade","E":1723075200004,"s":"BTCUSDT","t":3737400001,"p":"61700.00000000","q":"0.50000000","T":1723075200004,"m":false,"M":true}}`},
		}},
		{"ETHUSDT-aggTrades-2025-01-31.zip", []string{"77,3200.1,2,100,104,1738281600000123,false,true"},
			core.Microseconds, core.Microseconds, []said{
				{recv: 1738281600000123000, payload: `{"stream":"ethusdt@aggTrade","data":{"e":"aggTrade","E":1738281600000123,"s":"ETHUSDT","a":77,"p":"3200.1","q":"2","f":100,"l":104,"T":1738281600000123,"m":false,"M":true}}`},
			}},
		{"BTCUSDT-1m-2024-08-08.zip", []string{"1723075200000,1,4,0.5,2,10,1723075259999,20,7,3,6,0"},
			core.Milliseconds, core.Microseconds, []said{
				{recv: 1723075259999000000, payload: `{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1723075259999000,"s":"BTCUSDT","k":{"t":1723075200000000,"T":1723075259999000,"s":"BTCUSDT","i":"1m","f":-1,"L":-1,"o":"1","c":"2","h":"4","l":"0.5","v":"10","n":7,"x":true,"q":"20","V":"3","Q":"6","B":"0"}}}`},
			}},
		{"BTCUSDT-1mo-2024-08.zip", []string{"open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
			"1722470400000,1,4,0.5,2,10,1725148799999,20,7,3,6,0"},
			core.Milliseconds, core.Milliseconds, []said{
				{recv: 1725148799999000000, payload: `{"stream":"btcusdt@kline_1M","data":{"e":"kline","E":1725148799999,"s":"BTCUSDT","k":{"t":1722470400000,"T":1725148799999,"s":"BTCUSDT","i":"1M","f":-1,"L":-1,"o":"1","c":"2","h":"4","l":"0.5","v":"10","n":7,"x":true,"q":"20","V":"3","Q":"6","B":"0"}}}`},
			}},
	} {
		h, err := OpenHistory(zipped(t, c.file, c.lines...))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if h.Unit() != c.unit {
			t.Errorf("%s: got unit %d, want %d", c.file, h.Unit(), c.unit)
		}
		h.In(c.in)
		var got []said
		var l Line
		for err = h.Next(&l); err == nil; err = h.Next(&l) {
			got = append(got, said{recv: l.RecvNs, payload: string(l.Payload)})
		}
		if !errors.Is(err, io.EOF) || !same(got, c.want) {
			t.Errorf("%s: got %v and\n%v\nwant\n%v", c.file, err, got, c.want)
		}
		h.Close()
	}
}

func TestBadHistoryIsNamed(t *testing.T) {
	const good = "1,2,3,6,1723075200003,true,true"
	for _, c := range []struct {
		file  string
		lines []string
		want  string
	}{
		{"BTCUSDT-trades-2024-08-08.zip", []string{good, "1,2,3"}, "line 2 has 3 fields, want 6 to 7 of trade"},
		{"BTCUSDT-trades-2024-08-08.zip", []string{"1,2,3,6,17230752,true,true"}, `line 1 has time "17230752", want milliseconds (13 digits) or microseconds (16)`},
		{"BTCUSDT-trades-2024-08-08.zip", []string{good, "2,2,3,6,1723075200003000,true,true"}, `line 2 has time "1723075200003000", want 13 digits as above`},
		{"BTCUSDT-trades-2024-08-08.zip", []string{good, "2,x,3,6,1723075200003,true,true"}, `line 2 has "x" in field 2, want a decimal number`},
		{"BTCUSDT-trades-2024-08-08.zip", []string{good, "-2,1,3,6,1723075200003,true,true"}, `line 2 has "-2" in field 1, want a whole number`},
		{"BTCUSDT-trades-2024-08-08.zip", []string{good, `2,1,3,6,1723075200003,"},true`}, `want true or false`},
		{"BTCUSDT-trades-2024-08-08.zip", []string{"id,price,qty,quote_qty,time,is_buyer_maker"}, "got no lines, want at least one trade"},
		{"BTCUSDT-1m-2024-08-08.zip", []string{"1723075260000,1,4,0.5,2,10,1723075319999,20,7,3,6,0", "1723075200000,1,4,0.5,2,10,1723075259999,20,7,3,6,0"}, "before that of the line above"},
		{"something.zip", []string{good}, "neither symbol nor kind"},
	} {
		h, err := OpenHistory(zipped(t, c.file, c.lines...))
		var l Line
		for err == nil {
			err = h.Next(&l)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %q, want an error with %q", c.file, c.lines, err, c.want)
		}
		if h != nil {
			h.Close()
		}
	}
}

// listed is a source of lines that carry its name and their place.
type listed struct{ left []Line }

func (s *listed) Next(l *Line) error {
	if len(s.left) == 0 {
		return io.EOF
	}
	*l, s.left = s.left[0], s.left[1:]
	return nil
}

func TestMergeKeepsEachSourcesOrderAndTheTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sources []Source
		var want []Line
		for i := range rapid.IntRange(0, 4).Draw(t, "sources") {
			var list []Line
			at := int64(0)
			for range rapid.IntRange(0, 8).Draw(t, "lines") {
				at += rapid.Int64Range(0, 2).Draw(t, "step")
				list = append(list, Line{RecvNs: at, Label: string(rune('a' + i))})
			}
			sources = append(sources, &listed{list})
			want = append(want, list...)
		}
		slices.SortStableFunc(want, func(a, b Line) int { return int(a.RecvNs - b.RecvNs) })
		m := NewMerge(sources...)
		var l Line
		for i := range want {
			if err := m.Next(&l); err != nil || l.RecvNs != want[i].RecvNs || l.Label != want[i].Label {
				t.Fatalf("line %d: got %+v %v, want %+v", i, l, err, want[i])
			}
		}
		if err := m.Next(&l); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v after the last line", err)
		}
	})
}
