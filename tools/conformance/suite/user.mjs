// User data: what happens to an account is told by the WS API subscription, and by nothing else.
import assert from 'node:assert/strict';
import { ClientsFault, NotOffered, add, describe, has, until } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { agree } from './market.mjs';
import { clear, id, limit, symbol } from './desk.mjs';

async function listen(w, options) {
  if (!w.s.user) throw new NotOffered('no user data subscription');
  const events = [];
  const s = options ? await w.open(options) : w.s;
  const u = await s.user((e) => events.push(e));
  return { events, stop: () => u.stop(), unsubscribe: u.unsubscribe,
    some: (what, ok) => until(what, () => events.find(ok)) };
}

function user(name, run, options) {
  add('user data', name, 'quiet', async (w) => {
    await clear(w.v);
    const l = await listen(w, options);
    try {
      await run(w, l);
    } finally {
      await l.stop();
      await clear(w.v);
    }
  });
}

const report = (orderId, x) => (e) => e.e === 'executionReport' && e.i === orderId && e.x === x;

const life = async (w, l) => {
  const before = await w.v.balances('main');
  const c = id('life');
  const o = await w.v.by('main', 'POST', 'order', limit('BUY', '0.01', '50000', { newClientOrderId: c }));
  const born = await l.some('NEW', report(o.orderId, 'NEW'));
  has(born, 'E:number s c S o f q p x X i:number T:number w:boolean z Z');
  agree(born, { s: symbol, c, S: 'BUY', o: 'LIMIT', f: 'GTC', q: '0.01', p: '50000', X: 'NEW', z: '0' }, 'NEW');
  await w.v.limit('second', 'SELL', '0.004', '50000');
  const fill = await l.some('TRADE', report(o.orderId, 'TRADE'));
  const [trade] = (await w.v.sim('trades', { account: 'main' })).filter((t) => t.orderId === o.orderId);
  agree(fill, { X: 'PARTIALLY_FILLED', l: '0.004', L: '50000', z: '0.004', Z: '200', t: trade.id, n: trade.commission, N: trade.commissionAsset, m: true }, 'TRADE');
  const gone = await w.v.by('main', 'DELETE', 'order', { symbol, orderId: o.orderId });
  const end = await l.some('CANCELED', report(o.orderId, 'CANCELED'));
  agree(end, { X: 'CANCELED', C: c, c: gone.clientOrderId, z: '0.004' }, 'CANCELED');
  // The last position told is the account's.
  const want = await w.v.balances('main');
  const same = (b) => fixed(b.f) === want[b.a].free && fixed(b.l) === want[b.a].locked;
  const at = await l.some('the position after it', (e) => e.e === 'outboundAccountPosition' && e.E >= end.E && e.B.every(same));
  has(at, 'E:number u:number B');
  assert.equal(want.BTC.free - before.BTC.free, fixed('0.004') - fixed(trade.commission));
};

user('an order from NEW to its end', life);

user('a list', async (w, l) => {
  await w.v.print('60000');
  const list = await w.v.by('main', 'POST', 'orderList/oco', { symbol, side: 'SELL', quantity: '0.01', aboveType: 'LIMIT_MAKER', abovePrice: '61000', belowType: 'STOP_LOSS_LIMIT',
    belowPrice: '58900', belowStopPrice: '59000', belowTimeInForce: 'GTC' });
  const told = (state) => (e) => e.e === 'listStatus' && e.g === list.orderListId && e.L === state;
  const first = await l.some('listStatus', (x) => x.e === 'listStatus');
  assert.equal(first.g, list.orderListId, 'list id');
  const e = await l.some('its start', told('EXECUTING'));
  agree(e, { s: symbol, c: 'OCO', l: 'EXEC_STARTED', r: 'NONE', C: list.listClientOrderId });
  assert.deepEqual(e.O.map((o) => o.i).sort(), list.orders.map((o) => o.orderId).sort());
  await w.v.by('main', 'DELETE', 'orderList', { symbol, orderListId: list.orderListId });
  agree(await l.some('its end', told('ALL_DONE')), { l: 'ALL_DONE' });
});

for (const kind of ['ED25519', 'RSA']) user(`the same with a key of ${kind}`, life, { account: 'main', kind });

user('unsubscribe', async (w, l) => {
  if (!l.unsubscribe) throw new NotOffered('no call to unsubscribe');
  await l.unsubscribe();
  await l.some('its end', (e) => e.e === 'eventStreamTerminated');
  const n = l.events.length;
  const o = await w.v.by('main', 'POST', 'order', limit('BUY', '0.01', '50000'));
  await w.v.by('main', 'GET', 'order', { symbol, orderId: o.orderId });
  assert.equal(l.events.length, n);
});

user('comes back after a cut', async (w, l) => {
  if (!w.client.resubscribes) throw new NotOffered('no subscription of its own after a reconnection');
  await w.v.fault('cut wsapi');
  await until('a new subscription', async () => ((await w.v.sim('stats')).sockets ?? []).some((s) => s.kind === 'wsapi' && s.users > 0));
  const o = await w.v.by('main', 'POST', 'order', limit('BUY', '0.01', '50000'));
  await l.some('NEW', report(o.orderId, 'NEW'));
});

// listenKey ended on 2026-02-20 and has no page here: a client that still asks for one hears 404 by REST and an error by
// the WS API, which it may not take for success.
for (const [transport, of] of [['REST', (w) => w.s.rest('userDataStream.start')], ['WS API', (w) => w.s.ws('userDataStream.start')]]) {
  add('user data', `listenKey by ${transport} is gone`, 'quiet', async (w) => {
    const call = of(w);
    let got;
    try {
      got = await call({});
    } catch (e) {
      const text = `${describe(e)} ${JSON.stringify(e)}`;
      if (transport === 'REST') assert.ok(w.client.gone ? w.client.gone(e) : /404|"body":""/.test(text), `got ${text}, want 404`);
      else assert.equal(w.client.errorOf(e).code, -1100, text);
      throw new ClientsFault('still has listenKey calls for the spot market, which ended on 2026-02-20');
    }
    assert.fail(`got ${JSON.stringify(got)}, want an error`);
  });
}
