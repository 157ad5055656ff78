package app

import (
	"crypto/tls"

	"riposte/tools/sock"
)

// sites are where an environment's services are and with which key they are
// used. Environment and addresses stand in one value, so that a key can never be
// sent to another environment's hosts.
type sites struct {
	name              string
	rest, stream, api string
	keyFile           string
	tls               *tls.Config
}

// known are Binance's own environments (Binance Spot API docs, general
// information, 2026-07-21). The addresses are in code and not in the config: a
// typing error there would hand signed orders to a stranger.
var known = map[string]sites{
	"live": {
		name: "live", rest: "https://api.binance.com", stream: "wss://stream.binance.com:9443",
		api: "wss://ws-api.binance.com:443/ws-api/v3",
	},
	"testnet": {
		name: "testnet", rest: "https://testnet.binance.vision", stream: "wss://stream.testnet.binance.vision",
		api: "wss://ws-api.testnet.binance.vision/ws-api/v3",
	},
	"demo": {
		name: "demo", rest: "https://demo-api.binance.com", stream: "wss://demo-stream.binance.com",
		api: "wss://demo-ws-api.binance.com/ws-api/v3",
	},
}

// findSites resolves the configured environment; for sim without addresses it
// starts the embedded venue.
func (d *desk) findSites() (sites, error) {
	v := &d.cfg.Venue
	caFile := v.CAFile
	s, named := known[v.Environment]
	switch {
	case named:
		s.keyFile = v.KeyFile
	case v.REST != "":
		s = sites{name: "sim", rest: v.REST, stream: v.Stream, api: v.WSAPI, keyFile: v.KeyFile}
	default:
		var err error
		if d.sim, err = openVenue(d.cfg.Sim, d.cfg.Market.Symbols, "", ""); err != nil {
			return s, usageError{err}
		}
		e := d.sim.endpoints()
		s = sites{name: "sim (embedded venue)", rest: e.REST, stream: e.Stream, api: e.WSAPI, keyFile: e.KeyFile}
		caFile = e.CAFile
	}
	var err error
	if s.tls, err = sock.NewTLS(caFile); err != nil {
		return s, usageError{err}
	}
	return s, nil
}
