package risk

// Refusal is why the gate said no. A refusal is ours; a reject is the venue's.
type Refusal uint8

// The refusals, in the order in which the gate looks. None is the absence of one.
const (
	None Refusal = iota
	RefusedHalted
	RefusedMalformed
	RefusedSymbol
	RefusedStale
	RefusedStatus
	RefusedType
	RefusedPriceBounds
	RefusedTick
	RefusedPercentPrice
	RefusedQtyBounds
	RefusedLot
	RefusedNotionalFilter
	RefusedQtyMax
	RefusedNotionalMax
	RefusedCollar
	RefusedOrdersFilter
	RefusedOpenOrders
	RefusedAccountOrders
	RefusedPosition
	RefusedRate
	RefusedUnknownOrder
	RefusedCancelPending
	RefusedOutboundFull

	refusals // count
)

// RefusalCount is how many refusals there are, None included: the size of a
// table of counters.
const RefusalCount = int(refusals)

var refusalText = [refusals]string{
	None:                  "none",
	RefusedHalted:         "halted",
	RefusedMalformed:      "malformed intent",
	RefusedSymbol:         "symbol not allowed",
	RefusedStale:          "stale book",
	RefusedStatus:         "symbol not trading",
	RefusedType:           "order type not allowed",
	RefusedPriceBounds:    "filter PRICE_FILTER: price out of bounds",
	RefusedTick:           "filter PRICE_FILTER: price off tick",
	RefusedPercentPrice:   "filter PERCENT_PRICE",
	RefusedQtyBounds:      "filter LOT_SIZE: quantity out of bounds",
	RefusedLot:            "filter LOT_SIZE: quantity off lot",
	RefusedNotionalFilter: "filter NOTIONAL",
	RefusedQtyMax:         "qty above max",
	RefusedNotionalMax:    "notional above max",
	RefusedCollar:         "price outside collar",
	RefusedOrdersFilter:   "filter MAX_NUM_ORDERS",
	RefusedOpenOrders:     "too many open orders",
	RefusedAccountOrders:  "too many open orders on the account",
	RefusedPosition:       "position limit",
	RefusedRate:           "order rate",
	RefusedUnknownOrder:   "no such working order",
	RefusedCancelPending:  "cancel already under way",
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
type HaltCause uint16

// The causes. HaltNotReconciled is set from the start: nothing trades before the
// venue's view and ours have been compared.
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
)

var haltText = []string{"not reconciled", "operator", "user stream down", "report ring full", "journal error", "key refused by the venue", "shutting down", "ledger differs from the venue", "too many rejects", "order link lost", "taken for dead by the guard", "rights of the key not proved"}

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
