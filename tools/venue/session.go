package venue

import (
	"slices"
	"strconv"

	"riposte/tools/venue/exchange"
)

// sessionEndpoints are the WS API methods without a REST twin.
func sessionEndpoints() []*op {
	plain := func(method string, weight int, run func(*call, []byte) ([]byte, *apiError), params ...string) *op {
		return &op{method: method, plain: true, weight: cost(weight), run: run, params: append(params, signedParams...)}
	}
	return []*op{
		plain("session.logon", 2, sessionLogon),
		plain("session.status", 2, sessionStatus),
		plain("session.logout", 2, sessionLogout),
		plain("session.subscriptions", 2, sessionSubscriptions),
		plain("userDataStream.subscribe", 2, userSubscribe),
		plain("userDataStream.subscribe.signature", 2, userSubscribeSigned),
		plain("userDataStream.unsubscribe", 2, userUnsubscribe, "subscriptionId"),
	}
}

// own authenticates a plain op by the key and signature it carries.
func (c *call) own() *apiError {
	apiKey, ok := c.p.get("apiKey")
	if !ok || apiKey == "" {
		return errMandatory("apiKey")
	}
	return c.authenticate(c.srv.gate(), func(v *verifier) *apiError {
		sig, ok := c.p.get("signature")
		if !ok || sig == "" {
			return errMandatory("signature")
		}
		return v.verify(wsPayload(&c.p), sig, false)
	}, apiKey, true)
}

// sessionLogon: Ed25519 keys only.
func sessionLogon(c *call, b []byte) ([]byte, *apiError) {
	if err := c.own(); err != nil {
		return b, err
	}
	if c.key.Kind != Ed25519 {
		// Code and text are not in the documented table; clients see them for keys of the wrong kind.
		return b, bad(-4056, "%s API key is not supported.", map[KeyKind]string{HMAC: "HMAC_SHA256", RSA: "RSA"}[c.key.Kind])
	}
	c.session.key, c.session.since = c.key, c.srv.clock.now()
	return c.sessionState(b)
}

func sessionStatus(c *call, b []byte) ([]byte, *apiError) { return c.sessionState(b) }

func sessionLogout(c *call, b []byte) ([]byte, *apiError) {
	c.session.key = nil
	c.srv.loop.do(func(now int64) {
		for _, u := range slices.Clone(c.conn.users) {
			if u.logon {
				c.srv.users.terminate(u, now)
			}
		}
	})
	return c.sessionState(b)
}

// sessionState is what logon, status and logout answer.
func (c *call) sessionState(b []byte) ([]byte, *apiError) {
	active := false
	if !c.srv.loop.do(func(int64) { active = len(c.conn.users) > 0 }) {
		return b, errClosed()
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	if k := c.session.key; k != nil {
		w.str("apiKey", k.APIKey)
		w.time("authorizedSince", c.session.since)
	} else {
		w.raw("apiKey", []byte("null"))
		w.raw("authorizedSince", []byte("null"))
	}
	w.time("connectedSince", c.conn.since)
	w.bool("returnRateLimits", !c.conn.noLimits)
	w.time("serverTime", c.srv.gate())
	w.bool("userDataStream", active)
	w.close('}')
	return w.b, nil
}

func sessionSubscriptions(c *call, b []byte) ([]byte, *apiError) {
	var ids []int
	if !c.srv.loop.do(func(int64) {
		for _, u := range c.conn.users {
			ids = append(ids, u.id)
		}
	}) {
		return b, errClosed()
	}
	w := enc{b: b}
	w.open('[')
	for _, id := range ids {
		w.open('{')
		w.int("subscriptionId", int64(id))
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}

func userSubscribe(c *call, b []byte) ([]byte, *apiError) {
	k := c.session.key
	if k == nil {
		return b, &apiError{status: 401, code: -1002, msg: "You are not authorized to execute this request."}
	}
	if c.srv.key(k.APIKey) == nil {
		return b, errKey()
	}
	return c.subscribeUser(b, k, true)
}

func userSubscribeSigned(c *call, b []byte) ([]byte, *apiError) {
	if err := c.own(); err != nil {
		return b, err
	}
	return c.subscribeUser(b, c.key, false)
}

const (
	maxActiveUsers   = 1000
	maxLifetimeUsers = 65535
)

// subscribeUser: one active subscription per account and connection.
func (c *call) subscribeUser(b []byte, k *verifier, logon bool) ([]byte, *apiError) {
	var fail *apiError
	var id int
	ok := c.srv.loop.do(func(int64) {
		acct := exchange.AccountID(k.account)
		for _, u := range c.conn.users {
			if u.account == acct {
				fail = bad(-2035, "User Data Stream subscription already active.")
				return
			}
		}
		if len(c.conn.users) >= maxActiveUsers || c.conn.nextUser >= maxLifetimeUsers {
			fail = bad(-2042, "Maximum subscription ID reached for this connection.")
			return
		}
		id = c.conn.nextUser
		c.conn.nextUser++
		c.fresh = &userSub{lane: lane{c: c.conn}, id: id, account: acct, logon: logon}
		c.srv.users.add(c.fresh)
	})
	if !ok {
		return b, errClosed()
	}
	if fail != nil {
		return b, fail
	}
	b = append(b, `{"subscriptionId":`...)
	b = strconv.AppendInt(b, int64(id), 10)
	return append(b, '}'), nil
}

func userUnsubscribe(c *call, b []byte) ([]byte, *apiError) {
	want, err := c.int("subscriptionId")
	if err != nil {
		return b, err
	}
	found := false
	if !c.srv.loop.do(func(now int64) {
		for _, u := range slices.Clone(c.conn.users) {
			if !want.Set || int64(u.id) == want.V {
				found = true
				c.srv.users.terminate(u, now)
			}
		}
	}) {
		return b, errClosed()
	}
	if !found {
		return b, bad(-2036, "User Data Stream subscription not active.")
	}
	return append(b, '{', '}'), nil
}
