package exec

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

func testIDs(t testing.TB) *IDs {
	t.Helper()
	ids, err := NewIDs("rp", 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestIDsReadBackAndFitTheVenuesLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-zA-Z0-9_]{1,19}`).Draw(t, "prefix")
		epoch := rapid.Uint64Range(1, epochMax).Draw(t, "epoch")
		seq := rapid.Uint64Range(0, 2_821_109_907_455).Draw(t, "seq")
		ids, err := NewIDs(prefix, epoch)
		if err != nil {
			t.Fatal(err)
		}
		id := ids.ID(seq)
		if n := len(id.Bytes()); n > 36 || n != len(ids.Head())+SeqDigits {
			t.Fatalf("id %s has %d characters", id, n)
		}
		if run, got, owner := ids.Parse(id.Bytes()); run != epoch || got != seq || owner != Ours {
			t.Fatalf("id %s reads as %d of run %d %v, want %d of %d ours", id, got, run, owner, seq, epoch)
		}
		patched := id.Bytes()
		PutSeq(patched[len(ids.Head()):], seq/2)
		if _, got, _ := ids.Parse(patched); got != seq/2 {
			t.Fatalf("patched id %s reads as %d, want %d", patched, got, seq/2)
		}
		later, _ := NewIDs(prefix, epoch%epochMax+1)
		if run, got, owner := later.Parse(id.Bytes()); run != epoch || got != seq/2 || owner != OtherRun {
			t.Fatalf("the id of another run reads as %d of run %d %v", got, run, owner)
		}
	})
}

func TestForeignIDsAreNotOurs(t *testing.T) {
	ids := testIDs(t)
	own := ids.ID(7).String()
	for _, id := range []string{"", "6gCrw2kRUAF9CvJDGP16IP", own + "0", own[1:], "xx" + own[2:], strings.ToUpper(own),
		own[:len(own)-1] + "!", own[:3] + "!" + own[4:], strings.Replace(own, "-", "_", 1), "web_" + own} {
		if _, _, owner := ids.Parse([]byte(id)); owner != Foreign {
			t.Errorf("%q reads as %v, want foreign", id, owner)
		}
	}
}

func TestBadPrefixIsRefused(t *testing.T) {
	for _, p := range []string{"", "a-b", "a b", "é", strings.Repeat("x", 20)} {
		if _, err := NewIDs(p, 1); err == nil {
			t.Errorf("prefix %q was accepted", p)
		}
	}
	for _, epoch := range []uint64{0, epochMax + 1} {
		if _, err := NewIDs("rp", epoch); err == nil {
			t.Errorf("epoch %d was accepted", epoch)
		}
	}
}

// TestEpochsRise: whatever the civil clock does between two starts, the later run has
// the higher epoch, so no id is ever made twice.
func TestEpochsRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, last := time.Unix(1_764_000_000, 0), uint64(0)
		made := map[core.ClientID]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "starts") {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Second)).Draw(t, "step")))
			epoch := core.EpochAfter(last, core.WallNs(now.UnixNano()))
			if epoch <= last {
				t.Fatalf("epoch %d follows %d", epoch, last)
			}
			last = epoch
			ids, err := NewIDs("rp", epoch)
			if err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(0, 5).Draw(t, "orders") {
				id := ids.ID(ids.Next())
				if made[id] {
					t.Fatalf("id %s was made twice", id)
				}
				made[id] = true
			}
		}
	})
	start := core.WallNs(1_764_000_000 * time.Second)
	if a, b := core.EpochAfter(0, start), core.EpochAfter(0, start+core.WallNs(999*time.Millisecond)); a == b {
		t.Error("two starts within a second share an epoch though nothing was remembered")
	}
	if e := core.EpochAfter(0, start); e <= uint64(start/1e9) {
		t.Errorf("epoch %d lies below those of the time when they were seconds", e)
	}
}
