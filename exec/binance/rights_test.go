package binance

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"riposte/core"
)

// goodKey is the answer for a key that may do what trading needs and nothing else.
func goodKey() map[string]any {
	return map[string]any{"ipRestrict": true, "createTime": 1, "enableReading": true, "enableWithdrawals": false, "enableInternalTransfer": false,
		"enableMargin": false, "enableFutures": false, "permitsUniversalTransfer": false, "enableVanillaOptions": false, "enableFixApiTrade": false,
		"enableFixReadOnly": false, "enablePortfolioMarginTrading": false, "enableSpotAndMarginTrading": true}
}

func judged(t *testing.T, products []string, edit map[string]any) []Finding {
	t.Helper()
	answer := goodKey()
	for k, v := range edit {
		answer[k] = v
	}
	body, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRestrictions(body)
	if err != nil {
		t.Fatal(err)
	}
	return r.Judge(products, venueNow)
}

func TestEachRightAloneIsJudged(t *testing.T) {
	inDays := func(days float64) int64 { return int64(venueNow)/1e6 + int64(days*24*3600*1000) }
	for _, tc := range []struct {
		flag     string
		value    any
		products []string
		want     Judgement
		why      string
	}{
		{"createTime", 2, nil, Fine, ""},
		{"enableReading", false, nil, Refuse, "be read"},
		{"enableSpotAndMarginTrading", false, nil, Refuse, "no order is taken"},
		{"ipRestrict", false, nil, Refuse, "any address"},
		{"enableWithdrawals", true, Products(), Refuse, "withdraws nothing"},
		{"enableInternalTransfer", true, Products(), Refuse, "another account"},
		{"permitsUniversalTransfer", true, Products(), Refuse, "other wallets"},
		{"enableMargin", true, nil, Refuse, `allow "margin"`},
		{"enableMargin", true, []string{"margin"}, Fine, ""},
		{"enableFutures", true, []string{"margin"}, Refuse, `allow "futures"`},
		{"enableFutures", true, []string{"futures"}, Fine, ""},
		{"enableVanillaOptions", true, nil, Refuse, `allow "options"`},
		{"enablePortfolioMarginTrading", true, nil, Refuse, `allow "portfolio-margin"`},
		{"enableFixApiTrade", true, nil, Refuse, `allow "fix"`},
		{"enableFixReadOnly", true, []string{"fix"}, Fine, ""},
		{"enableSomethingNew", true, nil, Warn, "not known"},
		{"enableSomethingNew", false, nil, Fine, ""},
		{"permitsNewTransfer", true, Products(), Refuse, "money leaving"},
		{expiry, 0, nil, Fine, ""},
		{expiry, inDays(14), nil, Fine, ""},
		{expiry, inDays(13.9), nil, Warn, "ends in 13.9 days"},
		{expiry, inDays(0), nil, Refuse, "has ended"},
	} {
		all := judged(t, tc.products, map[string]any{tc.flag: tc.value})
		if got := Worst(all); got != tc.want {
			t.Errorf("%s = %v: judged %v, want %v", tc.flag, tc.value, got, tc.want)
		}
		for _, f := range all {
			if f.Verdict != Fine && (f.Flag != tc.flag || !strings.Contains(f.Why, tc.why)) {
				t.Errorf("%s = %v: %s is %v because %q, want %q", tc.flag, tc.value, f.Flag, f.Verdict, f.Why, tc.why)
			}
		}
	}
}

func TestRightsThatCannotBeReadAreNotGuessed(t *testing.T) {
	for name, edit := range map[string]func(m map[string]any){
		"no withdrawals":       func(m map[string]any) { delete(m, "enableWithdrawals") },
		"no IP":                func(m map[string]any) { delete(m, "ipRestrict") },
		"no transfers":         func(m map[string]any) { delete(m, "permitsUniversalTransfer") },
		"text":                 func(m map[string]any) { m["enableWithdrawals"] = "false" },
		"number":               func(m map[string]any) { m["enableFutures"] = 0 },
		"null":                 func(m map[string]any) { m["enableInternalTransfer"] = nil },
		"expiry in the future": func(m map[string]any) { m[expiry] = int64(1) << 50 },
	} {
		m := goodKey()
		edit(m)
		body, _ := json.Marshal(m)
		if r, err := parseRestrictions(body); err == nil {
			t.Errorf("%s: got %+v, want an error", name, r)
		}
	}
	twice := `{"ipRestrict":true,"enableReading":true,"enableWithdrawals":true,"enableWithdrawals":false,"enableInternalTransfer":false,"permitsUniversalTransfer":false,"enableSpotAndMarginTrading":true}`
	if r, err := parseRestrictions([]byte(twice)); err == nil || !strings.Contains(err.Error(), "enableWithdrawals") {
		t.Errorf("a flag twice: got %+v, %v, want an error that names it", r, err)
	}
}

func TestExpiryIsShownAsADate(t *testing.T) {
	all := judged(t, nil, map[string]any{expiry: int64(venueNow)/1e6 + (40 * 24 * time.Hour).Milliseconds()})
	if last := all[len(all)-1]; last.Flag != expiry || last.Value != "2017-08-21 02:41 UTC" {
		t.Errorf("expiry is %+v", last)
	}
	var never core.WallNs
	r := Restrictions{set: map[string]bool{}, ExpiresAt: never}
	if all = r.Judge(nil, venueNow); all[len(all)-1].Value != "never" {
		t.Errorf("no expiry is %+v", all[len(all)-1])
	}
}
