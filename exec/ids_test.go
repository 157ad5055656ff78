package exec

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testIDs(t testing.TB) *IDs {
	t.Helper()
	ids, err := NewIDs("rp", time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestIDsReadBackAndFitTheVenuesLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-zA-Z0-9_]{1,19}`).Draw(t, "prefix")
		sec := rapid.Int64Range(1, 78_364_164_095).Draw(t, "sec")
		seq := rapid.Uint64Range(0, 2_821_109_907_455).Draw(t, "seq")
		ids, err := NewIDs(prefix, time.Unix(sec, 0))
		if err != nil {
			t.Fatal(err)
		}
		id := ids.ID(seq)
		if n := len(id.Bytes()); n > 36 || n != len(ids.Head())+SeqDigits {
			t.Fatalf("id %s has %d characters", id, n)
		}
		if got, owner := ids.Parse(id.Bytes()); got != seq || owner != Ours {
			t.Fatalf("id %s reads as %d %v, want %d ours", id, got, owner, seq)
		}
		patched := id.Bytes()
		PutSeq(patched[len(ids.Head()):], seq/2)
		if got, _ := ids.Parse(patched); got != seq/2 {
			t.Fatalf("patched id %s reads as %d, want %d", patched, got, seq/2)
		}
		later, _ := NewIDs(prefix, time.Unix(sec%78_364_164_095+1, 0))
		if _, owner := later.Parse(id.Bytes()); owner != OtherRun {
			t.Fatalf("the id of another run reads as %v", owner)
		}
	})
}

func TestForeignIDsAreNotOurs(t *testing.T) {
	ids := testIDs(t)
	own := ids.ID(7).String()
	for _, id := range []string{"", "6gCrw2kRUAF9CvJDGP16IP", own + "0", own[1:], "xx" + own[2:], strings.ToUpper(own),
		own[:len(own)-1] + "!", own[:3] + "!" + own[4:], strings.Replace(own, "-", "_", 1), "web_" + own} {
		if _, owner := ids.Parse([]byte(id)); owner != Foreign {
			t.Errorf("%q reads as %v, want foreign", id, owner)
		}
	}
}

func TestBadPrefixIsRefused(t *testing.T) {
	for _, p := range []string{"", "a-b", "a b", "é", strings.Repeat("x", 20)} {
		if _, err := NewIDs(p, time.Unix(1, 0)); err == nil {
			t.Errorf("prefix %q was accepted", p)
		}
	}
	if _, err := NewIDs("rp", time.Unix(0, 0)); err == nil {
		t.Error("a start in 1970 was accepted")
	}
}
