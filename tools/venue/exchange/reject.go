package exchange

// Codes of Binance's error table (errors page, 2026-07-21) that the exchange
// itself answers. Codes of transport, signature and limits belong to the sockets.
const (
	codeFilter        = -1013
	codeComposition   = -1014
	codeIllegal       = -1100
	codeMandatory     = -1102
	codeNotRequired   = -1106
	codePrecision     = -1111
	codeTIFNotNeeded  = -1114
	codeBadTIF        = -1115
	codeBadType       = -1116
	codeBadSide       = -1117
	codeBadInterval   = -1120
	codeBadSymbol     = -1121
	codeBadCombo      = -1128
	codeInvalidData   = -1130
	codeStrategyType  = -1134
	codeOCOType       = -1158
	codeOCOIceberg    = -1160
	codeOCOBuyLimit   = -1165
	codeOCOSellLimit  = -1166
	codeOCOLimits     = -1168
	codeOCOBuyStop    = -1196
	codeOCOSellStop   = -1197
	codeOCOBuyProfit  = -1198
	codeOCOSellProfit = -1199
	codePegPrice      = -1210
	codePegOffset     = -1211
	codeNewRejected   = -2010
	codeCancelReject  = -2011
	codeNoSuchOrder   = -2013
	codeReplacePartly = -2021
	codeReplaceFailed = -2022
	codeAmendReject   = -2038
	codeClientID      = -2039
)

func reject(code int, msg string) *Reject { return &Reject{Code: code, Msg: msg} }

func rejectSymbol() *Reject { return reject(codeBadSymbol, "Invalid symbol.") }

func rejectFilter(t FilterType) *Reject {
	return reject(codeFilter, "Filter failure: "+t.String())
}

func rejectMandatory(param string) *Reject {
	return reject(codeMandatory, "Mandatory parameter '"+param+"' was not sent, was empty/null, or malformed.")
}

func rejectNotRequired(param string) *Reject {
	return reject(codeNotRequired, "Parameter '"+param+"' sent when not required.")
}

func rejectEither(a, b string) *Reject {
	return reject(codeMandatory, "Param '"+a+"' or '"+b+"' must be sent, but both were empty/null!")
}

func rejectIllegal(param, legal string) *Reject {
	return reject(codeIllegal, "Illegal characters found in parameter '"+param+"'; legal range is '"+legal+"'.")
}

func rejectPrecision(param string) *Reject {
	return reject(codePrecision, "Parameter '"+param+"' has too much precision.")
}

const (
	textInsufficient  = "Account has insufficient balance for requested action."
	textWouldMatch    = "Order would immediately match and take."
	textDuplicate     = "Duplicate order sent."
	textWouldTrigger  = "Order would trigger immediately."
	textOCOPrices     = "The relationship of the prices for the orders is not correct."
	textComposition   = "Unsupported order combination."
	textClosed        = "Market is closed."
	textAccountOff    = "This account may not place or cancel orders."
	textUnknownOrder  = "Unknown order sent."
	textRestricted    = "Order was not canceled due to cancel restrictions."
	textZeroNotional  = "Price * QTY is zero or less."
	textNoLotDepth    = "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."
	textNoMarketDepth = "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity."
	textNoDepth       = "Order book liquidity is less than symbol minimum quantity."
)

// notSupported is the engine's text for a kind of order (errors page: "Market
// orders are not supported for this symbol." and its siblings).
func notSupported(kind string) *Reject {
	return reject(codeNewRejected, kind+" orders are not supported for this symbol.")
}

var typeKinds = [...]string{"", "Limit", "Limit maker", "Market", "Stop loss", "Stop loss limit", "Take profit", "Take profit limit"}
