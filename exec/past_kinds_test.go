package exec

import (
	"strings"
	"testing"

	"riposte/core/journal"
)

// Whatever a run may write the next one reads at its start: a kind that is forgotten here
// would keep every restart from coming about.
func TestPastTakesEveryKindThatAJournalHas(t *testing.T) {
	for k := range journal.Kind(255) {
		if journal.New(k) == nil {
			continue
		}
		if err := NewPast().Take(&journal.Record{Kind: k, Version: 1}); err != nil && strings.Contains(err.Error(), "is not known") {
			t.Errorf("%v: %v", k, err)
		}
	}
}
