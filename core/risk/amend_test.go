package risk

import (
	"testing"

	"riposte/core"
)

func amendTo(id core.OrderID, qty string) core.Intent {
	return core.Intent{Kind: core.Amend, ID: id, Qty: qt(qty)}
}

func TestAmendCountsLessOnlyWhenTheVenueHasSaidSo(t *testing.T) {
	s := newStage()
	s.limits.PositionMax = qt("5")
	s.open(t)
	id := s.must(t, limit(core.Buy, "100", "5"))
	in, r := approve(s.gate, amendTo(id, "2"), s.sync, s.now)
	want := core.Intent{Kind: core.Amend, ID: id, Qty: qt("2"), Price: px("100")}
	if r != None || in.Intent() != want {
		t.Fatalf("got %+v, %v, want %+v", in.Intent(), r, want)
	}
	s.want(t, limit(core.Buy, "100", "0.001"), RefusedPosition)
	s.want(t, amendTo(id, "1"), RefusedCancelPending)
	if o, ok := s.gate.Report(&core.Report{Kind: core.ReportAmended, ID: id, Instrument: symA, Qty: qt("2"), FeeAsset: core.NoAsset}); !ok || o.Remaining() != qt("2") {
		t.Fatalf("got %+v, %v, want 2 left", o, ok)
	}
	s.must(t, limit(core.Buy, "100", "3"))
	s.want(t, limit(core.Buy, "100", "0.001"), RefusedPosition)
	s.must(t, amendTo(id, "1"))
	s.must(t, core.Intent{Kind: core.Cancel, ID: id}) // passes an amend under way
	s.report(id, core.ReportCancelRejected, core.New)
	s.must(t, amendTo(id, "1"))
}

func TestWhatAnAmendMayNot(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*stage)
		to   string
		want Refusal
	}{
		"more":                      {nil, "5.001", RefusedAmend},
		"the same":                  {nil, "5", RefusedAmend},
		"no more than has traded":   {nil, "1", RefusedAmend},
		"a little more than that":   {nil, "1.001", None},
		"off lot":                   {nil, "2.0001", RefusedLot},
		"below the least notional":  {func(s *stage) { s.table.List[symA].Filters.NotionalMin = am("200") }, "1.999", RefusedNotionalFilter},
		"at the least notional":     {func(s *stage) { s.table.List[symA].Filters.NotionalMin = am("200") }, "2", None},
		"where the symbol takes no": {func(s *stage) { s.table.List[symA].Features = 0 }, "2", RefusedFeature},
		"beyond the rate":           {func(s *stage) { s.account.RateMax, s.account.RateSpan = 1, 1e9 }, "2", RefusedRate},
		"beyond the strategy's":     {func(s *stage) { s.account.StrategyRateMax, s.account.StrategySpan = 1, 1e9 }, "2", RefusedStrategyRate},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			if c.set != nil {
				c.set(s)
			}
			s.open(t)
			id := s.must(t, limit(core.Buy, "100", "5"))
			s.fill(id, core.Buy, qt("1"), core.PartiallyFilled)
			s.want(t, amendTo(id, c.to), c.want)
		})
	}
	s := newStage()
	s.table.List[symA].Filters.AmendsMax = 1
	s.open(t)
	id := s.must(t, limit(core.Buy, "100", "5"))
	s.must(t, amendTo(id, "4"))
	s.gate.Report(&core.Report{Kind: core.ReportAmended, ID: id, Instrument: symA, Qty: qt("4"), FeeAsset: core.NoAsset})
	s.want(t, amendTo(id, "3"), RefusedAmendsFilter)
	s.gate.Halt(HaltOperator)
	s.want(t, amendTo(id, "3"), RefusedHalted)
	s.want(t, amendTo(77, "3"), RefusedUnknownOrder)
}

func TestReplaceCountsBothOrdersUntilTheOldHasEnded(t *testing.T) {
	s := newStage()
	s.limits.PositionMax = qt("5")
	s.open(t)
	old := s.must(t, limit(core.Buy, "100", "2"))
	replace := limit(core.Buy, "99.99", "3")
	replace.Kind, replace.Old = core.Replace, old
	id := s.must(t, replace)
	if e := s.gate.Exposure(symA); e != (Exposure{Buy: qt("5"), Open: 2}) {
		t.Errorf("exposure %+v, want both orders", e)
	}
	s.want(t, limit(core.Buy, "100", "0.001"), RefusedPosition)
	s.want(t, replace, RefusedCancelPending)
	s.want(t, core.Intent{Kind: core.Cancel, ID: old}, RefusedCancelPending)
	s.report(old, core.ReportDone, core.Canceled)
	s.must(t, limit(core.Buy, "100", "2"))
	s.want(t, replace, RefusedUnknownOrder)
	again := limit(core.Buy, "99.98", "0.001")
	again.Kind, again.Old = core.Replace, id
	s.want(t, again, RefusedPosition)                 // nothing of the old is counted out beforehand
	s.must(t, core.Intent{Kind: core.Cancel, ID: id}) // and it is not taken to be ending
	other := again
	other.Instrument = symB
	s.want(t, other, RefusedUnknownOrder)
	s.table.List[symA].Features = 0
	s.gate.SetRules(&s.table.List[symA])
	again.Old = 3
	s.want(t, again, RefusedFeature)
}
