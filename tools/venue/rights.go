package venue

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const restrictionsPath = "/sapi/v1/account/apiRestrictions"

// Rights are what a key may do, as GET /sapi/v1/account/apiRestrictions tells it. Only Reading and SpotTrading make a
// difference here: the venue has no other products and no withdrawals.
type Rights struct {
	IPRestrict        bool  `json:"ipRestrict"`
	Reading           bool  `json:"enableReading"`
	Withdrawals       bool  `json:"enableWithdrawals"`
	InternalTransfer  bool  `json:"enableInternalTransfer"`
	Margin            bool  `json:"enableMargin"`
	Futures           bool  `json:"enableFutures"`
	UniversalTransfer bool  `json:"permitsUniversalTransfer"`
	VanillaOptions    bool  `json:"enableVanillaOptions"`
	FixTrade          bool  `json:"enableFixApiTrade"`
	FixRead           bool  `json:"enableFixReadOnly"`
	PortfolioMargin   bool  `json:"enablePortfolioMarginTrading"`
	SpotTrading       bool  `json:"enableSpotAndMarginTrading"`
	TradingExpires    int64 `json:"tradingAuthorityExpirationTime,omitempty"` // unix ms, 0 for never
}

// TradingRights are those of a key that was given none: it reads, trades on the spot market, and is bound to an address.
func TradingRights() Rights { return Rights{IPRestrict: true, Reading: true, SpotTrading: true} }

// rights are those in force: ReadOnly takes trading away.
func (k *Key) rights() Rights {
	r := TradingRights()
	if k.Rights != nil {
		r = *k.Rights
	}
	r.SpotTrading = r.SpotTrading && !k.ReadOnly
	return r
}

// SetRights changes what a key may do from now on.
func (s *Server) SetRights(apiKey string, r Rights) error {
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	old := s.keys[apiKey]
	if old == nil {
		return fmt.Errorf("cannot change the rights of key %q: want a key of the venue", apiKey)
	}
	v := *old // calls under way keep what they began with
	v.Rights = &r
	s.keys[apiKey] = &v
	return nil
}

func (s *Server) adminRights(q url.Values, r *http.Request) ([]byte, error) {
	var rights Rights
	d := json.NewDecoder(io.LimitReader(r.Body, 4096))
	d.DisallowUnknownFields()
	if err := d.Decode(&rights); err != nil {
		return nil, fmt.Errorf("cannot read the rights: %w", err)
	}
	if err := s.SetRights(q.Get("key"), rights); err != nil {
		return nil, err
	}
	return []byte(`{}`), nil
}

// apiRestrictions is GET /sapi/v1/account/apiRestrictions.
func apiRestrictions(c *call, b []byte) ([]byte, *apiError) {
	r := c.key.rights()
	w := enc{b: b, us: c.us}
	w.open('{')
	w.bool("ipRestrict", r.IPRestrict)
	w.time("createTime", c.srv.started)
	w.bool("enableReading", r.Reading)
	w.bool("enableWithdrawals", r.Withdrawals)
	w.bool("enableInternalTransfer", r.InternalTransfer)
	w.bool("enableMargin", r.Margin)
	w.bool("enableFutures", r.Futures)
	w.bool("permitsUniversalTransfer", r.UniversalTransfer)
	w.bool("enableVanillaOptions", r.VanillaOptions)
	w.bool("enableFixApiTrade", r.FixTrade)
	w.bool("enableFixReadOnly", r.FixRead)
	w.bool("enablePortfolioMarginTrading", r.PortfolioMargin)
	w.bool("enableSpotAndMarginTrading", r.SpotTrading)
	if r.TradingExpires != 0 {
		w.int("tradingAuthorityExpirationTime", r.TradingExpires)
	}
	w.close('}')
	return w.b, nil
}
