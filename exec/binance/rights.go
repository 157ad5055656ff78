package binance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// Restrictions are the rights of an API key as GET /sapi/v1/account/apiRestrictions
// tells them.
type Restrictions struct {
	set       map[string]bool // every flag of the answer by the venue's name
	ExpiresAt core.WallNs     // when the right to trade ends, 0 if never
}

// Has reports one right by the venue's name for it.
func (r *Restrictions) Has(flag string) bool { return r.set[flag] }

// Judgement is what we think of a right.
type Judgement uint8

// The judgements, the worse the greater.
const (
	Fine   Judgement = iota
	Warn             // trading goes on, somebody should know
	Refuse           // no order with such a key
)

var judgementText = [...]string{"ok", "warning", "REFUSED"}

func (j Judgement) String() string { return judgementText[j] }

// Finding is one right of a key and what we think of it.
type Finding struct {
	Flag    string // the venue's name
	Value   string
	Verdict Judgement
	Why     string // empty if it is fine
}

// The products of the venue for which a key may have rights beside spot trading, by the
// word that a configuration allows them with.
var productFlags = map[string]string{
	"enableMargin": "margin", "enableFutures": "futures", "enableVanillaOptions": "options",
	"enablePortfolioMarginTrading": "portfolio-margin", "enableFixApiTrade": "fix", "enableFixReadOnly": "fix",
}

// Products are those words.
func Products() []string { return []string{"margin", "futures", "options", "portfolio-margin", "fix"} }

const (
	flagRead = "enableReading"
	flagSpot = "enableSpotAndMarginTrading"
	flagIP   = "ipRestrict"
	expiry   = "tradingAuthorityExpirationTime"

	// expirySoon is how long before its end a right to trade is worth a warning.
	expirySoon = 14 * 24 * time.Hour
)

// must are the flags without which nothing can be said about a key. What each has to be
// and why (Binance Spot API docs and the venue's page on key rights, 2026-07-21).
var must = []struct {
	flag string
	want bool
	why  string
}{
	{flagRead, true, "without it neither orders nor balances can be read"},
	{flagSpot, true, "without it no order is taken"},
	{flagIP, true, "the key works from any address: bind it to the address of this host"},
	{"enableWithdrawals", false, "whoever steals the key takes the money: a trading key withdraws nothing"},
	{"enableInternalTransfer", false, "whoever steals the key sends the money to another account"},
	{"permitsUniversalTransfer", false, "whoever steals the key moves the money to other wallets"},
}

// Judge holds a key's rights against what it needs: to read, to trade on the spot
// market, to be bound to an address, and nothing else but the products that are
// allowed. One finding for each flag that the venue told, in a fixed order.
func (r *Restrictions) Judge(products []string, now core.WallNs) []Finding {
	var out []Finding
	seen := map[string]bool{}
	for _, m := range must {
		seen[m.flag] = true
		f := Finding{Flag: m.flag, Value: fmt.Sprint(r.set[m.flag])}
		if r.set[m.flag] != m.want {
			f.Verdict, f.Why = Refuse, m.why
		}
		out = append(out, f)
	}
	var rest []string
	for flag := range r.set {
		if !seen[flag] {
			rest = append(rest, flag)
		}
	}
	slices.Sort(rest)
	for _, flag := range rest {
		f := Finding{Flag: flag, Value: fmt.Sprint(r.set[flag])}
		if r.set[flag] {
			f.Verdict, f.Why = judgeOther(flag, products)
		}
		out = append(out, f)
	}
	f := Finding{Flag: expiry, Value: "never"}
	if r.ExpiresAt > 0 {
		f.Value = time.Unix(0, int64(r.ExpiresAt)).UTC().Format("2006-01-02 15:04 UTC")
		switch left := time.Duration(r.ExpiresAt - now); {
		case left <= 0:
			f.Verdict, f.Why = Refuse, "the right to trade has ended: renew it, or bind the key to an address"
		case left < expirySoon:
			f.Verdict, f.Why = Warn, fmt.Sprintf("the right to trade ends in %.1f days: renew it, or bind the key to an address", left.Hours()/24)
		}
	}
	return append(out, f)
}

// judgeOther judges a right that is given and that trading on the spot market does not
// need.
func judgeOther(flag string, products []string) (Judgement, string) {
	product, known := productFlags[flag]
	lower := strings.ToLower(flag)
	switch {
	case known && slices.Contains(products, product):
		return Fine, ""
	case known:
		return Refuse, fmt.Sprintf("nothing here trades there: take the right away, or allow %q", product)
	case strings.Contains(lower, "withdraw") || strings.Contains(lower, "transfer"):
		return Refuse, "a right that is not known by this version and sounds like money leaving"
	}
	return Warn, "a right that is not known by this version and that trading does not need"
}

// Worst is the gravest judgement of all findings.
func Worst(all []Finding) Judgement {
	worst := Fine
	for i := range all {
		worst = max(worst, all[i].Verdict)
	}
	return worst
}

// parseRestrictions takes nothing for granted: a flag that decides whether money can
// leave must be there and be a bool, or nothing is known about the key.
func parseRestrictions(body []byte) (*Restrictions, error) {
	doc, err := parse(body, fastjson.TypeObject)
	if err != nil {
		return nil, err
	}
	r := &Restrictions{set: map[string]bool{}}
	var odd string
	doc.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		name := string(key)
		flag := name == flagIP || strings.HasPrefix(name, "enable") || strings.HasPrefix(name, "permits")
		b, err := v.Bool()
		switch {
		case name != clip(name), flag && (err != nil || r.has(name)):
			odd = clip(name)
		case flag:
			r.set[name] = b
		case name == expiry:
			ms, err := v.Int64()
			if err != nil || ms < 0 || ms > 1<<43 {
				odd = name
			}
			r.ExpiresAt = core.WallNs(ms * 1e6)
		}
	})
	if odd != "" {
		return nil, fmt.Errorf("found %q twice or neither true nor false, want the rights of a key", odd)
	}
	for _, m := range must {
		if !r.has(m.flag) {
			return nil, fmt.Errorf("found no %s, want the rights of a key", m.flag)
		}
	}
	return r, nil
}

func (r *Restrictions) has(flag string) bool { _, ok := r.set[flag]; return ok }
