package venue

import (
	"fmt"
	"io"
	"net"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/exchange/tape"
)

// Account is one account of the venue: its keys and its balances at start, decimal texts by asset ("BTC": "1.5").
// Rates are scaled 1e-8 per unit (0 is the exchange's default of 10 bps, negative is free of commission).
type Account struct {
	Name       string
	Balances   map[string]string
	Keys       []Key
	MakerRate  int64
	TakerRate  int64
	TradeGroup int64
	Disabled   bool
	PayBNB     bool // commissions in BNB while it lasts; see Server.SetPayBNB
}

// Race says whether a user event of an order leaves before or after the answer to the request that caused it. The
// venue promises neither.
type Race uint8

// The orders of user event and answer. RaceRandom draws one per request from the seed.
const (
	EventFirst Race = iota
	AnswerFirst
	RaceRandom
)

// Latency delays a signed request at three points: between check 1 and check 2, between check 2 and the engine
// (check 3), and between the engine and the answer. Zero adds nothing.
type Latency struct {
	Forward time.Duration
	Engine  time.Duration
	Answer  time.Duration
}

// TLS asks for TLS 1.3 with a certificate of a self-made authority. CAFile is where the authority's certificate is
// written; empty means a file in the system's temporary folder, removed by Close.
type TLS struct {
	On     bool
	CAFile string
}

// Config is everything that decides a Server. The zero value serves BTCUSDT, ETHUSDT, BNBBTC, ETHBTC, LTCBTC and BNBETH
// on a free loopback port with one account, agents as the market and the venue's published limits.
type Config struct {
	Listen string // address, default "127.0.0.1:0"; must be loopback
	// Listener, if set, is served in place of Listen and closed with the Server. Its connections may be of any kind (in
	// memory, simulated): one with a SetLinger method is broken by SetLinger(0) and Close, any other by Close alone.
	Listener net.Listener
	Seed     uint64
	// Symbols served, default all built-in ones. ExchangeInfo, if set, is a recorded exchangeInfo body to take them from.
	Symbols      []string
	ExchangeInfo []byte
	// PriceRanges are PRICE_RANGE execution rules by symbol; they hold once SetReferencePrice has given a price.
	PriceRanges map[string]exchange.PriceRange
	// MaxAsset is the most that one order may move of an asset (MAX_ASSET), decimal texts by asset.
	MaxAsset map[string]string
	// Accounts, default one named "main" with 100 of every base asset, 1 000 000 USDT, an HMAC and an Ed25519 key.
	Accounts []Account
	// Tape are recordings, one stream in the given order, that are the market instead of agents; TapeLoop starts them
	// again at their end, TapeSpeed (0: 1) plays them that many times faster. Without Symbols the recorded ones are
	// served.
	Tape      []string
	TapeLoop  bool
	TapeSpeed float64
	// Market makes another market. Quiet means no market at all.
	Market func(seed uint64, symbols []exchange.Symbol) (exchange.Market, error)
	Quiet  bool
	TLS    TLS
	Log    io.Writer // canonical event log of the exchange
	// Executed is told of every execution report the moment it comes to be, on the venue's goroutine, whatever becomes
	// of it on its way to a client: the truth for tests. The report is the exchange's; read it during the call.
	Executed func(account int, r *exchange.ExecutionReport)

	Weight      RateLimit   // REQUEST_WEIGHT per IP, default 6000 / 1 MINUTE
	RawRequests RateLimit   // default 300000 / 5 MINUTE
	Connections RateLimit   // per IP and kind of socket, default 300 / 5 MINUTE
	Orders      []RateLimit // per account, default 50 / 10 SECOND and 160000 / 1 DAY
	BanAfter    int         // refusals in one window before a 418, default 20
	BanFor      time.Duration
	Discount    int64 // what a commission in BNB is multiplied by, scaled 1e-8, default 0.75
	TakerFill   int   // order count given back by a first fill as taker, default 1
	MakerFill   int   // and as maker, default 5

	DepthFast    time.Duration // @depth@100ms and partial depth, default 100 ms
	DepthSlow    time.Duration // @depth, default 1 s
	TickerEvery  time.Duration // tickers and avgPrice, default 1 s
	KlineEvery   time.Duration // klines but 1s, default 2 s
	PingInterval time.Duration // default 20 s
	PongTimeout  time.Duration // default 60 s
	// ConnectionLife is how long a socket lives before serverShutdown, ShutdownLead how long after that it is closed.
	ConnectionLife time.Duration // default 24 h
	ShutdownLead   time.Duration // default 10 s
	WriteTimeout   time.Duration // default 10 s

	ClientMessagesPerSecond int // stream sockets, default 5
	StreamsPerConnection    int // default 1024
	QueueFrames             int // frames waiting for one socket, default 8192
	QueueBytes              int // default 32 MiB
	MaxMessage              int // bytes of one client message, default 64 KiB
	SendBuffer              int // kernel send buffer of a WebSocket, bytes; 0 leaves it to the system

	QueryLag   time.Duration // age that an order, fill or balance must have before queries see it
	UserEvents Race
	Latency    Latency
	// BookHistory is how many level changes per symbol BookAt reaches back; default 200 000, negative none.
	BookHistory int
	// TimeOffset shifts the venue's clock against the machine's.
	TimeOffset time.Duration

	// StrictParams refuses requests with parameters an endpoint does not know (-1104). Off by default: the venue's own
	// behaviour differs between endpoints.
	StrictParams bool
	// FlatStreamErrors sends errors of stream control messages as documented, {"code":..,"msg":..,"id":..}; the
	// default is the nested form that is seen on the wire.
	FlatStreamErrors bool
	// Faults are script lines to run from the start; see ParseFaults.
	Faults []Fault
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// fill puts the defaults in.
func (c *Config) fill() {
	def(&c.Listen, "127.0.0.1:0")
	def(&c.Weight, RateLimit{"MINUTE", 1, 6000})
	def(&c.RawRequests, RateLimit{"MINUTE", 5, 300000})
	def(&c.Connections, RateLimit{"MINUTE", 5, 300})
	if len(c.Orders) == 0 {
		c.Orders = []RateLimit{{"SECOND", 10, 50}, {"DAY", 1, 160000}}
	}
	def(&c.BanAfter, 20)
	def(&c.BanFor, 2*time.Minute)
	def(&c.TakerFill, 1)
	def(&c.MakerFill, 5)
	def(&c.DepthFast, 100*time.Millisecond)
	def(&c.DepthSlow, time.Second)
	def(&c.TickerEvery, time.Second)
	def(&c.KlineEvery, 2*time.Second)
	def(&c.PingInterval, 20*time.Second)
	def(&c.PongTimeout, 60*time.Second)
	def(&c.ConnectionLife, 24*time.Hour)
	def(&c.ShutdownLead, 10*time.Second)
	def(&c.WriteTimeout, 10*time.Second)
	def(&c.ClientMessagesPerSecond, 5)
	def(&c.StreamsPerConnection, 1024)
	def(&c.QueueFrames, 8192)
	def(&c.QueueBytes, 32<<20)
	def(&c.MaxMessage, 64<<10)
	def(&c.BookHistory, 200_000)
}

func (c *Config) check() error {
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"DepthFast", c.DepthFast}, {"DepthSlow", c.DepthSlow}, {"TickerEvery", c.TickerEvery}, {"KlineEvery", c.KlineEvery},
		{"PingInterval", c.PingInterval}, {"PongTimeout", c.PongTimeout}, {"ConnectionLife", c.ConnectionLife},
		{"WriteTimeout", c.WriteTimeout}} {
		if d.v < time.Millisecond {
			return fmt.Errorf("cannot start the venue: got %s %v, want at least 1ms", d.name, d.v)
		}
	}
	limits := map[string]RateLimit{"Weight": c.Weight, "RawRequests": c.RawRequests, "Connections": c.Connections}
	for i, l := range c.Orders {
		limits[fmt.Sprintf("Orders[%d]", i)] = l
	}
	for name, l := range limits {
		if err := l.check(name); err != nil {
			return err
		}
	}
	for _, n := range []struct {
		name string
		v    int
	}{{"BanAfter", c.BanAfter}, {"TakerFill", c.TakerFill}, {"MakerFill", c.MakerFill},
		{"ClientMessagesPerSecond", c.ClientMessagesPerSecond}, {"StreamsPerConnection", c.StreamsPerConnection},
		{"QueueFrames", c.QueueFrames}, {"QueueBytes", c.QueueBytes}, {"MaxMessage", c.MaxMessage}} {
		if n.v < 1 {
			return fmt.Errorf("cannot start the venue: got %s %d, want at least 1", n.name, n.v)
		}
	}
	return nil
}

// DefaultAccount is the account of a venue that was given none.
func DefaultAccount(seed uint64) (Account, error) { return NewAccount(seed, "main", HMAC, Ed25519) }

// NewAccount is an account with 100 of every base asset, 1 000 000 USDT and one key of each of the given kinds.
func NewAccount(seed uint64, name string, kinds ...KeyKind) (Account, error) {
	a := Account{Name: name, Balances: map[string]string{"USDT": "1000000", "BTC": "100", "ETH": "100", "BNB": "100", "LTC": "100"}}
	for _, kind := range kinds {
		var k Key
		var err error
		switch kind {
		case HMAC:
			k = NewHMACKey(seed, name)
		case Ed25519:
			k, err = NewEd25519Key(seed, name)
		case RSA:
			k, err = NewRSAKey(seed, name)
		default:
			err = fmt.Errorf("cannot make a key of account %q: got kind %q, want HMAC, RSA or ED25519", name, kind)
		}
		if err != nil {
			return Account{}, err
		}
		a.Keys = append(a.Keys, k)
	}
	return a, nil
}

// exchangeConfig is the part of the config that the exchange itself takes.
func (c *Config) exchangeConfig(start int64) (exchange.Config, error) {
	var symbols []exchange.Symbol
	var rec *exchange.Recording
	var err error
	names := c.Symbols
	if len(c.Tape) > 0 {
		if rec, err = tape.Load(c.Tape...); err != nil {
			return exchange.Config{}, fmt.Errorf("cannot load the venue's tape: %w", err)
		}
		if len(names) == 0 {
			names = rec.Symbols
		}
	}
	if c.ExchangeInfo != nil {
		symbols, err = exchange.LoadSymbols(c.ExchangeInfo, names)
	} else {
		symbols, err = exchange.BuiltinSymbols(names...)
	}
	if err != nil {
		return exchange.Config{}, fmt.Errorf("cannot load the venue's symbols: %w", err)
	}
	x := exchange.Config{Seed: c.Seed, Start: start, Symbols: symbols, Log: c.Log, Ledger: true, BookHistory: max(0, c.BookHistory),
		Discount: c.Discount}
	for i := range symbols {
		symbols[i].Range = c.PriceRanges[symbols[i].Name]
	}
	if x.ExchangeFilters, err = exchange.LoadExchangeFilters(c.ExchangeInfo); err != nil {
		return x, fmt.Errorf("cannot load the venue's filters: %w", err)
	}
	for asset, text := range c.MaxAsset {
		limit, err := exchange.ParseFixed(text)
		if err != nil {
			return x, fmt.Errorf("cannot read MaxAsset of %s: got %q: %w", asset, text, err)
		}
		x.AssetLimits = append(x.AssetLimits, exchange.AssetLimit{Asset: asset, Limit: limit})
	}
	for _, a := range c.Accounts {
		acct := exchange.AccountConfig{Name: a.Name, MakerRate: a.MakerRate, TakerRate: a.TakerRate, TradeGroup: a.TradeGroup,
			Disabled: a.Disabled, PayBNB: a.PayBNB, Balances: make(map[string]exchange.Fixed, len(a.Balances))}
		for asset, text := range a.Balances {
			v, err := exchange.ParseFixed(text)
			if err != nil {
				return x, fmt.Errorf("cannot read balance %s of account %q: %w", asset, a.Name, err)
			}
			acct.Balances[asset] = v
		}
		x.Accounts = append(x.Accounts, acct)
	}
	switch {
	case c.Quiet:
	case rec != nil:
		x.Market = exchange.Tape(exchange.TapeOptions{Recording: rec, Loop: c.TapeLoop, Speed: c.TapeSpeed})
	case c.Market != nil:
		if x.Market, err = c.Market(c.Seed, symbols); err != nil {
			return x, fmt.Errorf("cannot make the venue's market: %w", err)
		}
	default:
		x.Market = exchange.Agents(exchange.AgentOptions{})
	}
	return x, nil
}
