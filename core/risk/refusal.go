package risk

// Refusal is why the gate said no. A refusal is ours; a reject is the venue's.
type Refusal uint8

// The refusals, in the order in which the gate looks. None is the absence of one.
const (
	None Refusal = iota
	RefusedMalformed
	RefusedHalted
	RefusedReduceOnly
	RefusedSymbol
	RefusedStale
	RefusedClock
	RefusedAudit
	RefusedRulesAge
	RefusedStatus
	RefusedType
	RefusedFeature
	RefusedPriceBounds
	RefusedTick
	RefusedPercentPrice
	RefusedTrailing
	RefusedTrigger
	RefusedQtyBounds
	RefusedLot
	RefusedParts
	RefusedNotionalFilter
	RefusedMaxPosition
	RefusedOrdersFilter
	RefusedAlgosFilter
	RefusedIcebergsFilter
	RefusedQtyMax
	RefusedSlippage
	RefusedNotionalMax
	RefusedCollar
	RefusedDrift
	RefusedSelfMatch
	RefusedOpenOrders
	RefusedAccountOrders
	RefusedUnknownOrders
	RefusedPosition
	RefusedCapital
	RefusedOwnPosition
	RefusedOwnCapital
	RefusedDuplicate
	RefusedRepeat
	RefusedRatio
	RefusedStrategyRate
	RefusedRate
	RefusedReserve
	RefusedUnknownOrder
	RefusedCancelPending
	RefusedAmend
	RefusedAmendsFilter
	RefusedOutboundFull

	refusals // count
)

// RefusalCount is how many refusals there are, None included: the size of a
// table of counters.
const RefusalCount = int(refusals)

var refusalText = [refusals]string{
	None:                  "none",
	RefusedMalformed:      "malformed intent",
	RefusedHalted:         "halted",
	RefusedReduceOnly:     "reduce only",
	RefusedSymbol:         "symbol not allowed",
	RefusedStale:          "stale book",
	RefusedClock:          "clock untrusted",
	RefusedAudit:          "not reconciled",
	RefusedRulesAge:       "filters too old",
	RefusedStatus:         "symbol not trading",
	RefusedType:           "order type not allowed",
	RefusedFeature:        "not taken on this symbol",
	RefusedPriceBounds:    "filter PRICE_FILTER: price out of bounds",
	RefusedTick:           "filter PRICE_FILTER: price off tick",
	RefusedPercentPrice:   "filter PERCENT_PRICE",
	RefusedTrailing:       "filter TRAILING_DELTA",
	RefusedTrigger:        "stop would trigger at once",
	RefusedQtyBounds:      "filter LOT_SIZE: quantity out of bounds",
	RefusedLot:            "filter LOT_SIZE: quantity off lot",
	RefusedParts:          "filter ICEBERG_PARTS",
	RefusedNotionalFilter: "filter NOTIONAL",
	RefusedMaxPosition:    "filter MAX_POSITION",
	RefusedOrdersFilter:   "filter MAX_NUM_ORDERS",
	RefusedAlgosFilter:    "filter MAX_NUM_ALGO_ORDERS",
	RefusedIcebergsFilter: "filter MAX_NUM_ICEBERG_ORDERS",
	RefusedQtyMax:         "qty above max",
	RefusedSlippage:       "slippage bound",
	RefusedNotionalMax:    "notional above max",
	RefusedCollar:         "price outside collar",
	RefusedDrift:          "collar budget spent",
	RefusedSelfMatch:      "self match",
	RefusedOpenOrders:     "too many open orders",
	RefusedAccountOrders:  "too many open orders on the account",
	RefusedUnknownOrders:  "too many unknown",
	RefusedPosition:       "position limit",
	RefusedCapital:        "capital threshold",
	RefusedOwnPosition:    "position budget of the strategy",
	RefusedOwnCapital:     "capital budget of the strategy",
	RefusedDuplicate:      "duplicate intent",
	RefusedRepeat:         "repeat throttle",
	RefusedRatio:          "ratio",
	RefusedStrategyRate:   "message rate of the strategy",
	RefusedRate:           "message rate",
	RefusedReserve:        "cancel reserve",
	RefusedUnknownOrder:   "no such working order",
	RefusedCancelPending:  "cancel or amend already under way",
	RefusedAmend:          "an amend must leave less than before and more than has traded",
	RefusedAmendsFilter:   "filter MAX_NUM_ORDER_AMENDS",
	RefusedOutboundFull:   "outbound ring full",
}

func (r Refusal) String() string {
	if int(r) < len(refusalText) {
		return refusalText[r]
	}
	return "unknown refusal"
}

// HaltCause is why trading stopped. Causes are bits: each is lifted on its own,
// and trading resumes when none is left.
type HaltCause uint32

// The causes. HaltNotReconciled is set from the start: nothing trades before the
// venue's view and ours have been compared. HaltReduceOnly lets pass what brings a
// position nearer to 0.
const (
	HaltNotReconciled HaltCause = 1 << iota
	HaltOperator
	HaltUserStream
	HaltReportsFull
	HaltJournal
	HaltKey
	HaltShutdown
	HaltMismatch
	HaltRejects
	HaltLink
	HaltGuard
	HaltRights
	HaltKilled
	HaltLoss
	HaltDrawdown
	HaltLosses
	HaltRepeat
	HaltExecutions
	HaltReduceOnly
	HaltTwin
	HaltUnguarded

	haltEnd
)

// HaltLatched are the causes that survive a restart: only a human with a reason
// lifts them.
const HaltLatched = HaltOperator | HaltMismatch | HaltRejects | HaltGuard | HaltKilled | HaltLoss | HaltDrawdown | HaltLosses | HaltRepeat |
	HaltExecutions | HaltReduceOnly | HaltTwin

var haltText = []string{"not reconciled", "operator", "user stream down", "report ring full", "journal error", "key refused by the venue", "shutting down",
	"ledger differs from the venue", "breaker rejects", "order link lost", "taken for dead by the guard", "rights of the key not proved",
	"killed", "loss limit", "drawdown limit", "breaker losses", "repeat throttle", "breaker executions", "reduce only",
	"another run is at work under our prefix", "no guard is watching"}

// String names the causes, comma separated, or "active" without any.
func (h HaltCause) String() string {
	if h == 0 {
		return "active"
	}
	s := ""
	for i, t := range haltText {
		if h&(1<<i) != 0 {
			if s != "" {
				s += ", "
			}
			s += t
		}
	}
	return s
}

// ParseHaltCauses reads what String wrote; a word that is no cause is not ok.
func ParseHaltCauses(words []string) (h HaltCause, ok bool) {
	for _, w := range words {
		found := false
		for i, t := range haltText {
			if t == w {
				h |= 1 << i
				found = true
			}
		}
		if !found {
			return h, false
		}
	}
	return h, true
}

// Words names the causes one by one.
func (h HaltCause) Words() (all []string) {
	for i, t := range haltText {
		if h&(1<<i) != 0 {
			all = append(all, t)
		}
	}
	return all
}
