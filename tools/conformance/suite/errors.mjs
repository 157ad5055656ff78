// What the venue refuses, and what a client makes of it; keys of every kind; limits.
import assert from 'node:assert/strict';
import { NotOffered, add, fails, until } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { agree } from './market.mjs';
import { each as eachIn, id, limit, symbol } from './desk.mjs';

const each = (name, run) => eachIn('errors', name, run);
const of = (d, s) => (op) => (d.session === d.s ? s.rest(op) : s.ws(op));

// signed is a signed call that every client has by the transport: the account, or an order where it is all there is.
function signed(d, s = d.session) {
  try {
    const call = of(d, s)('account.status');
    return () => call({});
  } catch (e) {
    if (!(e instanceof NotOffered)) throw e;
    const call = of(d, s)('order.place');
    return () => call(limit('BUY', '0.01', '50000'));
  }
}

each('a wrong secret: -1022', async (d) => {
  const k = d.v.keys[d.account].HMAC;
  const s = await d.open({ account: d.account, key: { ...k, secret: k.secret.split('').reverse().join('') } });
  await fails(d.client, signed(d, s), -1022, 'Signature for this request is not valid.');
});

each('an unknown key: -2015', async (d) => {
  const k = d.v.keys[d.account].HMAC;
  const s = await d.open({ account: d.account, key: { ...k, apiKey: 'A'.repeat(64) } });
  await fails(d.client, signed(d, s), -2015, 'Invalid API-key, IP, or permissions for action.');
});

each('an unknown symbol: -1121', (d) => fails(d.client, () => d.place({ ...limit('BUY', '0.01', '50000'), symbol: 'NOPEUSDT' }), -1121, 'Invalid symbol.'));

for (const [name, quantity, price] of [['PRICE_FILTER', '0.01', '50000.001'], ['LOT_SIZE', '0.010001', '50000'], ['NOTIONAL', '0.00001', '50000'], ['PERCENT_PRICE_BY_SIDE', '0.01', '400000']]) {
  each(`filter ${name}: -1013`, async (d) => {
    await d.v.print('60000');
    await fails(d.client, () => d.place(limit('BUY', quantity, price)), -1013, `Filter failure: ${name}`);
  });
}

each('an open id again: -2010', async (d) => {
  const newClientOrderId = id('twice');
  await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '50000', { newClientOrderId }));
  await fails(d.client, () => d.place(limit('BUY', '0.01', '50001', { newClientOrderId })), -2010, 'Duplicate order sent.');
});

each('too little balance: -2010', (d) => fails(d.client, () => d.place(limit('BUY', '90', '50000')), -2010, 'Account has insufficient balance for requested action.'));

each('cancel of an unknown order: -2011', (d) => fails(d.client, () => d.call('order.cancel')({ symbol, orderId: 999999999 }), -2011, 'Unknown order sent.'));

each('a parameter is missing: -1102', (d) => fails(d.client, () => d.place({ symbol, side: 'BUY', type: 'LIMIT', quantity: '0.01', price: '50000', newOrderRespType: 'RESULT' }), -1102, /^Mandatory parameter 'timeInForce' was not sent/));

for (const [name, ms, text] of [['a clock that is late', -20000, 'Timestamp for this request is outside of the recvWindow.'], ['a clock that is ahead', 20000, "Timestamp for this request was 1000ms ahead of the server's time."]]) {
  each(`${name}: -1021`, async (d) => {
    if (d.client.skewed) {
      const s = await d.open({ account: d.account, skew: -ms });
      return fails(d.client, signed(d, s), -1021, text);
    }
    const call = signed(d);
    const now = Date.now;
    Date.now = () => now() + ms;
    try {
      await fails(d.client, call, -1021, text);
    } finally {
      Date.now = now;
    }
    return undefined;
  });
}

each('too much weight: 429, -1003', async (d) => {
  const call = signed(d);
  await d.v.fault('429 400ms');
  const e = await fails(d.client, call, -1003);
  assert.match(e.msg, /^Too much request weight used/);
  await until('the end of the limit', async () => { try { await call(); return true; } catch { return false; } });
});

each('an answer that is lost: -1007, and the order is there', async (d) => {
  const newClientOrderId = id('lost');
  await d.v.fault('lose orders taken timeout 1');
  const call = () => d.place(limit('BUY', '0.01', '50000', { newClientOrderId }));
  await assert.rejects(call(), (e) => {
    const got = d.client.errorOf(e);
    return got.code === -1007 || got.status >= 500;
  });
  agree(await d.status({ origClientOrderId: newClientOrderId }), { status: 'NEW' });
});

for (const kind of ['HMAC', 'ED25519', 'RSA']) {
  eachIn('keys', kind, async (d) => {
    const s = await d.open({ account: d.account, kind });
    const call = of(d, s);
    const o = await call('order.place')(limit('BUY', '0.01', '50000', { newClientOrderId: id('key') }));
    const [open] = await d.v.sim('orders', { account: d.account });
    assert.equal(open.orderId, o.orderId);
  });
}

add('keys, WS API', 'a session logged on sends unsigned orders', 'quiet', async (w) => {
  if (!w.client.logon) throw new NotOffered('no session.logon');
  const s = await w.open({ account: 'wsapi', kind: 'ED25519' });
  const status = await w.client.logon(s);
  assert.equal(status.apiKey, w.v.keys.wsapi.ED25519.apiKey);
  const o = await s.ws('order.place')(limit('BUY', '0.01', '50000', { newClientOrderId: id('logon') }));
  const [open] = await w.v.sim('orders', { account: 'wsapi' });
  assert.equal(open.orderId, o.orderId);
  await s.ws('order.cancel')({ symbol, orderId: o.orderId });
});

add('errors, REST', 'the used weight is told', 'quiet', async (w) => {
  if (!w.client.weight) throw new NotOffered('the used weight is not shown');
  const used = async () => {
    await w.s.rest('depth')({ symbol, limit: 100 });
    return w.client.weight(w.s);
  };
  await until('two calls in one minute', async () => {
    const [a, b] = [await used(), await used()];
    if (b < a) return false; // a minute has begun between them
    assert.equal(b - a, 5);
    return true;
  });
});

add('errors, REST', 'the order count is told', 'quiet', async (w) => {
  if (!w.client.orders) throw new NotOffered('the order count is not shown');
  const count = async () => {
    const o = await w.s.rest('order.place')(limit('BUY', '0.01', '50000'));
    const n = await w.client.orders(w.s);
    await w.v.by('main', 'DELETE', 'order', { symbol, orderId: o.orderId });
    return n;
  };
  const [a, b] = [await count(), await count()];
  assert.equal(b - a, 1);
  assert.ok(fixed(String(a)) > 0n);
});
