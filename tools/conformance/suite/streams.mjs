// Market streams: every kind that a client has a call for, held against the venue's books and trades.
import assert from 'node:assert/strict';
import { NotOffered, add, has, until } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { agree, sameBook, sameLevels } from './market.mjs';

const symbol = 'BTCUSDT';
const low = 'btcusdt';

// listen opens streams by the client and gives what arrives; close ends them.
async function listen(w, names) {
  if (!w.s.stream) throw new NotOffered('no streams');
  const events = [];
  const failures = [];
  const s = await w.s.stream(names, (e) => events.push(e), (e) => failures.push(e));
  return { events, failures, stop: () => s.stop(), unsubscribe: s.unsubscribe,
    some: (n, ok = () => true, what = names.join()) => until(`${n} events of ${what}`, () => { const got = events.filter(ok); return got.length >= n && got; }) };
}

function stream(name, n, check, title = name) {
  add('streams', title, 'market', async (w) => {
    const l = await listen(w, [name]);
    try {
      await check(w, await l.some(n), l);
    } finally {
      await l.stop();
    }
  }, true);
}

// Sockets that carry the named stream, as the venue sees them.
export async function carrying(v, name) {
  const st = await v.sim('stats');
  return (st.sockets ?? []).filter((s) => s.kind === 'streams' && (s.streams ?? []).includes(name));
}

stream(`${low}@trade`, 5, async (w, got) => {
  const want = await w.v.market('historicalTrades', { symbol, fromId: got[0].t, limit: got.length });
  got.forEach((e, i) => {
    has(e, 'e:string E:number s:string t:number p:string q:string T:number m:boolean');
    agree(e, { e: 'trade', s: symbol, t: want[i].id, p: want[i].price, q: want[i].qty, T: want[i].time, m: want[i].isBuyerMaker }, 'trade');
  });
});

stream(`${low}@aggTrade`, 5, async (w, got) => {
  const all = await w.v.market('historicalTrades', { symbol, fromId: got[0].f, limit: 1000 });
  for (const [i, e] of got.entries()) {
    has(e, 'e s a:number p:string q:string f:number l:number T:number m:boolean');
    if (i > 0) assert.equal(e.a, got[i - 1].a + 1);
    const part = all.filter((t) => t.id >= e.f && t.id <= e.l);
    assert.equal(part.reduce((x, t) => x + fixed(t.qty), 0n), fixed(e.q));
    assert.ok(part.every((t) => fixed(t.price) === fixed(e.p)));
  }
});

async function sameTop(w, e) {
  const b = await w.v.sim('book', { symbol, u: e.u });
  assert.deepEqual([e.b, e.B, e.a, e.A].map(fixed), [...b.bids[0], ...b.asks[0]].map(fixed), `top at ${e.u}`);
}

stream(`${low}@bookTicker`, 10, async (w, got) => {
  for (const [i, e] of got.slice(0, 10).entries()) {
    has(e, 'u:number s:string b:string B:string a:string A:string');
    if (i > 0) assert.ok(e.u > got[i - 1].u);
    await sameTop(w, e);
  }
});

// A book built by the venue's own procedure (local order book of the Spot API docs) out of the client's events and the
// client's snapshot is the venue's book.
async function buildBook(w, events) {
  const snap = await w.s.rest('depth')({ symbol, limit: 5000 });
  const later = await until('an event behind the snapshot', () => { const e = events.filter((x) => x.u > snap.lastUpdateId); return e.length >= 3 && e; });
  let id = snap.lastUpdateId;
  const book = { b: new Map(snap.bids.map(([p, q]) => [fixed(p), fixed(q)])), a: new Map(snap.asks.map(([p, q]) => [fixed(p), fixed(q)])) };
  for (const e of later) {
    assert.ok(e.U <= id + 1, `gap: event ${e.U} to ${e.u} after ${id}`);
    for (const side of ['b', 'a']) {
      for (const [p, q] of e[side]) {
        if (fixed(q) === 0n) book[side].delete(fixed(p));
        else book[side].set(fixed(p), fixed(q));
      }
    }
    id = e.u;
  }
  const want = await w.v.sim('book', { symbol, u: id });
  const sorted = (m, sign) => [...m].sort((x, y) => (x[0] < y[0] ? sign : -sign));
  assert.deepEqual(sorted(book.b, 1), want.bids.map(([p, q]) => [fixed(p), fixed(q)]), `bids at ${id}`);
  assert.deepEqual(sorted(book.a, -1), want.asks.map(([p, q]) => [fixed(p), fixed(q)]), `asks at ${id}`);
}

stream(`${low}@depth@100ms`, 1, async (w, got, l) => {
  has(got[0], 'E:number s:string U:number u:number b a');
  await buildBook(w, l.events);
  l.events.slice(1).forEach((e, i) => assert.equal(e.U, l.events[i].u + 1, 'events are not contiguous'));
});

stream(`${low}@depth`, 2, async (w, got) => {
  assert.equal(got[1].U, got[0].u + 1);
  assert.ok(got[1].E - got[0].E >= 500, `events ${got[1].E - got[0].E} ms apart, want a second`);
});

for (const levels of [5, 10, 20]) {
  stream(`${low}@depth${levels}@100ms`, 3, async (w, got) => {
    for (const e of got.slice(0, 3)) {
      assert.equal(e.bids.length, levels);
      await sameBook(w.v, e, levels);
    }
  });
}

stream(`${low}@depth5`, 1, (w, got) => sameBook(w.v, got[0], 5));

stream(`${low}@kline_1s`, 1, async (w, got, l) => {
  const [e] = await l.some(1, (x) => x.k.x, 'a closed bar');
  has(e, 'e E:number s k');
  const k = e.k;
  has(k, 't:number T:number s i f:number L:number o c h l v n:number x:boolean q V Q');
  const [want] = await w.v.market('klines', { symbol, interval: '1s', startTime: k.t, limit: 1 });
  assert.deepEqual([k.t, k.T, k.n, ...[k.o, k.h, k.l, k.c, k.v, k.q, k.V, k.Q].map(fixed)], [want[0], want[6], want[8], ...[1, 2, 3, 4, 5, 7, 9, 10].map((i) => fixed(want[i]))]);
  assert.equal(k.i, '1s');
});

stream(`${low}@kline_1m@+08:00`, 1, async (w, [e]) => assert.equal(e.k.i, '1m'));

const within = (e, t) => {
  agree(e, { s: symbol, o: t.openPrice }, 'ticker');
  assert.ok(fixed(e.l) <= fixed(e.c) && fixed(e.c) <= fixed(e.h) && fixed(e.v) > 0n && fixed(e.q) > 0n, JSON.stringify(e));
};

stream(`${low}@miniTicker`, 1, async (w, [e]) => {
  has(e, 'e:string E:number s c o h l v q');
  within(e, await w.v.market('ticker/24hr', { symbol }));
});

const full = 'e E:number s p P w c o h l v q O:number C:number F:number L:number n:number';

stream(`${low}@ticker`, 1, async (w, [e]) => {
  has(e, `${full} x Q b B a A`);
  within(e, await w.v.market('ticker/24hr', { symbol }));
  assert.equal(e.n, e.L - e.F + 1);
  assert.equal(e.C - e.O, 86400000);
});

for (const [win, ms] of [['1h', 3600000], ['4h', 14400000], ['1d', 86400000]]) {
  stream(`${low}@ticker_${win}`, 1, async (w, [e]) => {
    has(e, full);
    assert.equal(e.e, `${win}Ticker`);
    assert.equal(e.O % 60000, 0, 'a window does not open on a minute');
    assert.ok(e.C - e.O >= ms && e.C - e.O < ms + 60000);
    assert.equal(e.n, e.L - e.F + 1);
  });
}

stream(`${low}@avgPrice`, 1, async (w, [e]) => {
  has(e, 'e:string E:number s:string i:string w:string T:number');
  assert.equal(e.i, '5m');
});

add('streams', `${low}@referencePrice`, 'market', async (w) => {
  const l = await listen(w, [`${low}@referencePrice`]);
  await w.v.tell('reference', { symbol, price: '61234' });
  const [e] = await l.some(1, (x) => x.r !== null && fixed(x.r) === fixed('61234'));
  has(e, 'e:string s:string r:string t:number');
  await w.v.tell('reference', { symbol });
  await l.some(1, (x) => x.r === null, 'a null price');
  await l.stop();
}, true);

add('streams', `${low}@blockTrade`, 'market', async (w) => {
  const l = await listen(w, [`${low}@blockTrade`]);
  await until('the subscription', async () => (await carrying(w.v, `${low}@blockTrade`)).length === 1);
  assert.deepEqual(l.events, []);
  await l.stop();
});

const every = (name, kind, n) => stream(name, 1, async (w, got, l) => {
  const seen = new Set();
  await until('both symbols', () => { for (const e of l.events) for (const t of [e].flat()) { seen.add(t.s); assert.equal(t.e, kind); has(t, 'E:number c o h l v q'); } return seen.size === n; });
});
every('!miniTicker@arr', '24hrMiniTicker', 2);
every('!ticker_1h@arr', '1hTicker', 2);

// Streams that the venue no longer has: the client still offers them, and hears nothing.
for (const name of ['!ticker@arr', '!bookTicker']) {
  add('streams', `${name} is gone: silence or a refusal`, 'market', async (w) => {
    const l = await listen(w, [name]);
    await new Promise((done) => setTimeout(done, 1500));
    assert.deepEqual(l.events, []);
    await l.stop();
  }, true);
}

add('streams', 'two streams on one socket', 'market', async (w) => {
  const names = ['btcusdt@aggTrade', 'ethusdt@aggTrade'];
  const l = await listen(w, names);
  await l.some(2, (e) => e.s === 'BTCUSDT');
  await l.some(2, (e) => e.s === 'ETHUSDT');
  const both = (await carrying(w.v, names[0])).filter((s) => s.streams.includes(names[1]));
  assert.equal(both.length, 1, 'they came by two sockets');
  await l.stop();
});

add('streams', 'unsubscribe', 'market', async (w) => {
  const name = `${low}@bookTicker`;
  const l = await listen(w, [name]);
  await l.some(2);
  if (!l.unsubscribe) {
    await l.stop();
    throw new NotOffered('no call to unsubscribe on an open socket');
  }
  await l.unsubscribe();
  await until('the end of the subscription', async () => (await carrying(w.v, name)).length === 0);
  const at = l.events.length;
  await new Promise((done) => setTimeout(done, 300));
  assert.ok(l.events.length - at <= 1, `${l.events.length - at} events after unsubscribe`);
  await l.stop();
});

add('streams', 'comes back after a cut', 'market', async (w) => {
  const l = await listen(w, [`${low}@bookTicker`]);
  await l.some(5);
  await w.v.fault('cut streams');
  if (w.client.reconnects === false) {
    await until('the failure told', () => l.failures.length > 0);
    throw new NotOffered('no reconnection: the error handler is told and the stream ends');
  }
  const at = l.events.length;
  const after = await until('events after the cut', () => l.events.length > at + 5 && l.events.slice(at + 3));
  for (const e of after.slice(0, 3)) await sameTop(w, e);
  await l.stop();
});
