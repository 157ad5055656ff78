package exchange

import (
	"math"
	"math/rand/v2"
)

// AgentParams shape the agents of one symbol. Defaults by class follow the
// recipe of the recorded statistics (spot BTCUSDT and ETHUSDT of 2024-08-08,
// quiet symbols of 2021-10-12). Rates are means at activity 1; activity itself
// has mean 1 and clusters.
type AgentParams struct {
	// Window is the time one draw of activity covers; with Exponential its mean.
	Window      Micros
	Exponential bool

	// Levels changed per window: log(1+n) is normal around LevelsMean with
	// LevelsSD, made of a fast and a slow autoregression.
	LevelsMean, LevelsSD float64

	ChangeShare  float64 // of the level events: quantity of a level changes
	FlickerShare float64 // an order comes and goes within some milliseconds
	// The rest makes and removes levels, whichever brings the density nearer to Spacing.
	Spacing  float64 // mean distance of levels near the touch, basis points
	Flat     float64 // up to this distance the density is even, then it thins out, basis points
	Reach    float64 // the initial book ends here, basis points
	DistMed  float64 // log-normal distance of level events: median, basis points
	DistSD   float64 // and standard deviation of its logarithm
	FarShare float64 // of the level events: anywhere up to Reach, log-uniform

	TouchRate  float64 // orders joining and leaving at the touch, per second
	TouchQueue float64 // orders in a touch queue that leaves as often as it is joined

	TakerRate  float64 // taker orders per second
	BurstShare float64 // of them take several makers
	BurstTail  float64 // Pareto exponent of how many
	BurstMax   int

	JumpRate float64 // moves of the fair price per second
	JumpBps  float64 // mean size, exponential, either way
	Revert   float64 // share of the distance to the start price a move takes back

	SpreadTicks int64 // distance of bid and ask that agents are content with

	// Sizes in quote currency: log-normal medians and standard deviations of the
	// logarithm. A mixture has a share of large ones.
	LevelValue, LevelSD float64
	TakeValue, TakeSD   float64
	LargeShare          float64
	LargeValue, LargeSD float64
}

// majorParams are those of BTCUSDT; scale thins or thickens the flow.
func majorParams(scale float64) AgentParams {
	return AgentParams{
		Window: 100 * millisecond, LevelsMean: 3.0 + math.Log(scale)*0.5, LevelsSD: 1.05,
		ChangeShare: 0.07, FlickerShare: 0.10, Spacing: 0.034, Flat: 33, Reach: 5000,
		DistMed: 7, DistSD: 1.05, FarShare: 0.022,
		TouchRate: 94 * scale, TouchQueue: 14,
		TakerRate: 12 * scale, BurstShare: 0.20, BurstTail: 1.05, BurstMax: 700,
		JumpRate: 1.1 * scale, JumpBps: 0.30, Revert: 0.0005, SpreadTicks: 1,
		LevelValue: 3300, LevelSD: 2.5, TakeValue: 38, TakeSD: 1.2, LargeShare: 0.18, LargeValue: 2500, LargeSD: 1.6,
	}
}

// ethParams are those of ETHUSDT: the same pace, but ticks wide enough that most
// prices near the touch are levels already.
func ethParams() AgentParams {
	p := majorParams(0.8)
	p.ChangeShare, p.FlickerShare, p.Spacing, p.Flat = 0.42, 0.06, 0.1, 90
	p.DistMed, p.DistSD = 8, 1.1
	p.LevelValue, p.LevelSD = 3800, 1.9
	p.LevelsMean = 2.95
	p.TouchRate = 78
	return p
}

// smallParams are those of a quiet symbol such as NKNUSDT.
func smallParams() AgentParams {
	return AgentParams{
		Window: 350 * millisecond, Exponential: true, LevelsMean: 0.95, LevelsSD: 0.55,
		ChangeShare: 0.78, FlickerShare: 0.01, Spacing: 4, Flat: 700, Reach: 6000,
		DistMed: 25, DistSD: 1.0, FarShare: 0.005,
		TouchRate: 0.5, TouchQueue: 3,
		TakerRate: 0.12, BurstShare: 0.15, BurstTail: 1.5, BurstMax: 5,
		JumpRate: 0.09, JumpBps: 6, Revert: 0.002, SpreadTicks: 4,
		LevelValue: 900, LevelSD: 1.2, TakeValue: 60, TakeSD: 1, LargeShare: 0.1, LargeValue: 1500, LargeSD: 1,
	}
}

// DefaultAgentParams are the parameters of a symbol: its own if the recordings
// have it, else by class of quote and base.
func DefaultAgentParams(symbol string) AgentParams {
	switch symbol {
	case "BTCUSDT":
		return majorParams(1)
	case "ETHUSDT":
		return ethParams()
	case "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT":
		p := ethParams()
		p.TouchRate, p.TakerRate, p.JumpRate, p.LevelsMean = 25, 5, 0.6, 2.3
		p.Spacing = 1
		return p
	case "ETHBTC", "BNBBTC", "LTCUSDT", "ADAUSDT", "BTCEUR", "ETHEUR":
		p := ethParams()
		p.TouchRate, p.TakerRate, p.JumpRate, p.LevelsMean = 8, 1.5, 0.25, 1.6
		p.Spacing, p.JumpBps = 1.5, 1
		return p
	}
	return smallParams()
}

// usd is a rough price of the quote assets, to turn values into quantities.
var usd = map[string]float64{"USDT": 1, "USDC": 1, "BUSD": 1, "FDUSD": 1, "EUR": 1.1, "BTC": 61837, "ETH": 2683, "BNB": 517}

// pace is the activity of a symbol: a slow and a fast autoregression of first
// order whose sum has variance 1. Their shares give the recorded
// autocorrelation of levels per event: 0.71 at lag 1, 0.25 at 10, 0.13 at 50.
type pace struct{ fast, slow float64 }

const (
	fastRho, slowRho = 0.62, 0.978
	fastVar, slowVar = 0.66, 0.34
)

func (p *pace) start(r *rand.Rand) {
	p.fast = r.NormFloat64() * math.Sqrt(fastVar)
	p.slow = r.NormFloat64() * math.Sqrt(slowVar)
}

func (p *pace) next(r *rand.Rand) float64 {
	p.fast = fastRho*p.fast + math.Sqrt(fastVar*(1-fastRho*fastRho))*r.NormFloat64()
	p.slow = slowRho*p.slow + math.Sqrt(slowVar*(1-slowRho*slowRho))*r.NormFloat64()
	return p.fast + p.slow
}

// activity turns the pace into a factor of the rates with mean 1.
func activity(x float64) float64 {
	const s = 0.9
	return math.Exp(s*x - s*s/2)
}
