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
	usdm              string // REST of USD-M futures, for its countdown alone
	keyFile           string
	tls               *tls.Config
}

// known are Binance's own environments (Binance Spot API docs, general
// information, 2026-07-21). The addresses are in code and not in the config: a
// typing error there would hand signed orders to a stranger.
var known = map[string]sites{
	"live": {
		name: "live", rest: "https://api.binance.com", stream: "wss://stream.binance.com:9443",
		api: "wss://ws-api.binance.com:443/ws-api/v3", usdm: "https://fapi.binance.com",
	},
	"testnet": {
		name: "testnet", rest: "https://testnet.binance.vision", stream: "wss://stream.testnet.binance.vision",
		api: "wss://ws-api.testnet.binance.vision/ws-api/v3", usdm: "https://testnet.binancefuture.com",
	},
	"demo": {
		name: "demo", rest: "https://demo-api.binance.com", stream: "wss://demo-stream.binance.com",
		api: "wss://demo-ws-api.binance.com/ws-api/v3", usdm: "https://demo-fapi.binance.com",
	},
}

// sites are those of the configured environment, with the file of their certificate
// authority; ok is false for the embedded venue, which is nowhere until it is started.
func (c *Config) sites() (s sites, caFile string, ok bool) {
	v := &c.Venue
	if s, ok = known[v.Environment]; ok {
		s.keyFile = v.KeyFile
	} else if ok = v.REST != ""; ok {
		s = sites{name: "sim", rest: v.REST, stream: v.Stream, api: v.WSAPI, keyFile: v.KeyFile}
	}
	return s, v.CAFile, ok
}

// findSites resolves the configured environment; for sim without addresses it
// starts the embedded venue.
func (d *desk) findSites() (sites, error) {
	s, caFile, ok := d.cfg.sites()
	var err error
	if !ok {
		if d.sim, err = openVenue(d.cfg.Sim, d.cfg.Market.Symbols, "", ""); err != nil {
			return s, usageError{err}
		}
		e := d.sim.endpoints()
		s = sites{name: embeddedAccount, rest: e.REST, stream: e.Stream, api: e.WSAPI, keyFile: e.KeyFile}
		caFile = e.CAFile
	}
	if s.tls, err = sock.NewTLS(caFile); err != nil {
		return s, usageError{err}
	}
	return s, nil
}
