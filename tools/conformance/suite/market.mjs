// Market data, asked for by REST and by the WS API: the same claims for both. The market moves while it is asked, so an
// answer is held against what the venue knows of that very moment: a book by its update id, a trade by its id.
import assert from 'node:assert/strict';
import { add, fails, has } from '../lib/cases.mjs';
import { fixed, times } from '../lib/venue.mjs';

const symbol = 'BTCUSDT';
const single = 'symbol:string';

// call is one operation by one transport; the name is that of the WS API.
const each = (name, run) => {
  add('market data, REST', name, 'market', (w) => run(w, w.s.rest(name)));
  add('market data, WS API', name, 'market', (w) => run(w, w.s.ws(name)));
};

// sameLevels compares [price, qty] pairs by value.
export function sameLevels(got, want, where) {
  assert.deepEqual(got.map(([p, q]) => [fixed(p), fixed(q)]), want.map(([p, q]) => [fixed(p), fixed(q)]), where);
}

export async function sameBook(v, got, levels, sym = symbol) {
  const book = await v.sim('book', { symbol: sym, u: got.lastUpdateId });
  sameLevels(got.bids, book.bids.slice(0, levels), `bids at ${got.lastUpdateId}`);
  sameLevels(got.asks, book.asks.slice(0, levels), `asks at ${got.lastUpdateId}`);
}

// tradesOf are the venue's own trades from id on.
const tradesOf = (v, from, limit = 1000) => v.market('historicalTrades', { symbol, fromId: from, limit });

// agree holds got against want: every field of want must be there and have its value, decimals by value.
export const agree = (got, want, where = 'answer') => compare(got, want, where, true);

// overlap is agree for a whole answer of the venue, of which a client's own types may keep a part only.
export const overlap = (got, want, where = 'answer') => compare(got, want, where, false);

function compare(got, want, where, strict) {
  if (Array.isArray(want)) {
    assert.ok(Array.isArray(got), `${where} is ${JSON.stringify(got)}, want a list`);
    assert.equal(got.length, want.length, `length of ${where}`);
    want.forEach((x, i) => compare(got[i], x, `${where}[${i}]`, strict));
  } else if (want && typeof want === 'object') {
    assert.ok(got && typeof got === 'object', `${where} is ${JSON.stringify(got)}, want an object`);
    const keys = Object.keys(want).filter((k) => strict || k in got);
    assert.ok(keys.length * 2 > Object.keys(want).length, `${where} has only ${keys}, want most of ${Object.keys(want)}`);
    for (const k of keys) {
      assert.ok(k in got, `${where} has no ${k}: ${JSON.stringify(got).slice(0, 300)}`);
      compare(got[k], want[k], `${where}.${k}`, strict);
    }
  } else if (typeof got === 'string' && /^\d+\.\d+$/.test(got) && /^\d+(\.\d+)?$/.test(want)) {
    assert.equal(fixed(got), fixed(want), where);
  } else {
    assert.equal(String(got), String(want), where);
  }
}

each('ping', async (w, call) => {
  const got = await call({});
  assert.deepEqual(got ?? {}, {});
});

each('time', async (w, call) => {
  const before = Date.now();
  const got = await call({});
  const at = typeof got === 'object' ? got.serverTime : got;
  assert.ok(at >= before - 5 && at <= Date.now() + 5, `got ${at}, want about ${before}`);
});

each('exchangeInfo', async (w, call) => {
  const want = await w.v.market('exchangeInfo', { symbol });
  const got = await call({ symbol });
  has(got, 'timezone:string serverTime:number rateLimits symbols');
  assert.equal(got.symbols.length, 1);
  const s = got.symbols[0];
  has(s, 'symbol status baseAsset quoteAsset orderTypes filters icebergAllowed ocoAllowed isSpotTradingAllowed');
  overlap(s, want.symbols[0], 'symbol');
  const filter = (list, type) => list.find((f) => f.filterType === type);
  assert.equal(s.filters.length, want.symbols[0].filters.length);
  for (const f of want.symbols[0].filters) agree(filter(s.filters, f.filterType), f, f.filterType);
  const rates = got.rateLimits.map((r) => `${r.rateLimitType} ${r.limit}/${r.intervalNum} ${r.interval}`);
  for (const r of ['REQUEST_WEIGHT 6000/1 MINUTE', 'ORDERS 50/10 SECOND', 'ORDERS 160000/1 DAY']) assert.ok(rates.includes(r), `got ${rates}`);
  const two = await call({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  assert.deepEqual(two.symbols.map((x) => x.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
  const every = await call({});
  assert.deepEqual(every.symbols.map((x) => x.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
});

each('executionRules', async (w, call) => assert.deepEqual((await call({ symbol })).symbolRules, []));

each('referencePrice', async (w, call) => {
  await fails(w.client, () => call({ symbol: 'ETHUSDT' }), -2043, "This symbol doesn't have a reference price.");
  await w.v.tell('reference', { symbol, price: '61000' });
  const got = await call({ symbol });
  has(got, 'symbol referencePrice timestamp:number');
  assert.equal(fixed(got.referencePrice), fixed('61000'));
});

each('referencePrice.calculation', async (w, call) => {
  await fails(w.client, () => call({ symbol: 'ETHUSDT' }), -2043);
  await w.v.tell('reference', { symbol, price: '61000' });
  agree(await call({ symbol }), { symbol, calculationType: 'EXTERNAL', externalCalculationId: 0 });
});

each('depth', async (w, call) => {
  for (const limit of [5, 100, 1000]) {
    const got = await call({ symbol, limit });
    assert.ok(got.bids.length > 0 && got.bids.length <= limit);
    assert.ok(fixed(got.bids[0][0]) < fixed(got.asks[0][0]), 'the book is crossed');
    await sameBook(w.v, got, limit);
  }
  await sameBook(w.v, await call({ symbol }), 100);
});

async function sameTrades(w, got) {
  assert.ok(got.length > 0, 'got no trades');
  const want = await tradesOf(w.v, got[0].id, got.length);
  overlap(got, want, 'trades');
  for (const [i, t] of got.entries()) {
    has(t, 'id:number price:string qty:string time:number isBuyerMaker:boolean isBestMatch:boolean');
    assert.equal(t.id, got[0].id + i, 'ids are not one after the other');
    if (t.quoteQty !== undefined) assert.equal(fixed(t.quoteQty), times(fixed(t.price), fixed(t.qty)));
  }
}

each('trades.recent', async (w, call) => {
  const got = await call({ symbol, limit: 50 });
  assert.equal(got.length, 50);
  await sameTrades(w, got);
});

each('trades.historical', async (w, call) => {
  const [first] = await w.v.market('trades', { symbol, limit: 200 });
  const got = await call({ symbol, fromId: first.id, limit: 20 });
  assert.equal(got.length, 20);
  assert.equal(got[0].id, first.id);
  await sameTrades(w, got);
});

each('blockTrades.historical', async (w, call) => assert.deepEqual(await call({ symbol, fromId: 1, limit: 10 }), []));

each('trades.aggregate', async (w, call) => {
  const got = await call({ symbol, limit: 20 });
  assert.equal(got.length, 20);
  const all = await tradesOf(w.v, got[0].f);
  for (const a of got) {
    has(a, 'a:number p:string q:string f:number l:number T:number m:boolean');
    const part = all.filter((t) => t.id >= a.f && t.id <= a.l);
    assert.equal(part.length, a.l - a.f + 1);
    assert.equal(part.reduce((n, t) => n + fixed(t.qty), 0n), fixed(a.q));
    assert.ok(part.every((t) => fixed(t.price) === fixed(a.p) && t.isBuyerMaker === a.m));
  }
  const from = await call({ symbol, fromId: got[3].a, limit: 2 });
  assert.deepEqual(from.map((a) => a.a), [got[3].a, got[4].a]);
});

// sameBars holds closed bars of one second against the trades of that second.
async function sameBars(w, bars) {
  const now = Date.now();
  const [oldest] = await w.v.market('trades', { symbol, limit: 1000 });
  const all = await tradesOf(w.v, oldest.id);
  let checked = 0;
  for (const b of bars) {
    assert.equal(b.length, 12);
    assert.equal(b[6], b[0] + 999, 'a bar does not end a millisecond before the next');
    if (b[6] >= now || b[0] <= oldest.time) continue;
    const part = all.filter((t) => t.time >= b[0] && t.time <= b[6]);
    assert.equal(b[8], part.length, `trades of the bar at ${b[0]}`);
    if (part.length === 0) continue;
    const sum = (of, list = part) => list.reduce((n, t) => n + fixed(t[of]), 0n);
    const prices = part.map((t) => fixed(t.price));
    const taker = part.filter((t) => !t.isBuyerMaker);
    assert.deepEqual([1, 2, 3, 4, 5, 7, 9, 10].map((i) => fixed(b[i])), [
      prices[0], prices.reduce((x, y) => (x > y ? x : y)), prices.reduce((x, y) => (x < y ? x : y)), prices.at(-1),
      sum('qty'), sum('quoteQty'), sum('qty', taker), sum('quoteQty', taker)], `the bar at ${b[0]}`);
    checked++;
  }
  return checked;
}

each('klines', async (w, call) => {
  assert.ok((await sameBars(w, await call({ symbol, interval: '1s', limit: 10 }))) > 0, 'no bar could be checked');
  const got = await call({ symbol, interval: '1m', limit: 3 });
  assert.equal(got.length, 3);
  assert.ok(got.every((b) => b[0] % 60000 === 0 && b[6] === b[0] + 59999));
  const part = await call({ symbol, interval: '1m', startTime: got[0][0], endTime: got[1][6] });
  assert.deepEqual(part.map((b) => b[0]), [got[0][0], got[1][0]]);
});

each('uiKlines', async (w, call) => {
  assert.ok((await sameBars(w, await call({ symbol, interval: '1s', limit: 10 }))) > 0, 'no bar could be checked');
});

each('avgPrice', async (w, call) => {
  const before = await w.v.market('ticker/24hr', { symbol });
  const got = await call({ symbol });
  has(got, 'mins:number price:string');
  assert.equal(got.mins, 5);
  assert.ok(fixed(got.price) >= fixed(before.lowPrice) * 99n / 100n && fixed(got.price) <= fixed(before.highPrice) * 101n / 100n, `got ${got.price}`);
});

const stats = 'symbol priceChange priceChangePercent weightedAvgPrice lastPrice openPrice highPrice lowPrice volume quoteVolume openTime:number closeTime:number firstId:number lastId:number count:number';

function sound(t) {
  has(t, stats);
  assert.equal(t.count, t.lastId - t.firstId + 1);
  assert.equal(fixed(t.priceChange), fixed(t.lastPrice) - fixed(t.openPrice));
  const [high, low, mean] = [t.highPrice, t.lowPrice, t.weightedAvgPrice].map(fixed);
  assert.ok(low <= mean && mean <= high && low <= fixed(t.lastPrice) && fixed(t.lastPrice) <= high, JSON.stringify(t));
  const vwap = (fixed(t.quoteVolume) * 100000000n) / fixed(t.volume);
  assert.ok(vwap - mean <= 1n && mean - vwap <= 1n, `weightedAvgPrice ${t.weightedAvgPrice}, want ${vwap}`);
}

each('ticker.24hr', async (w, call) => {
  const got = await call({ symbol });
  sound(got);
  has(got, 'prevClosePrice lastQty bidPrice bidQty askPrice askQty');
  assert.equal(got.closeTime - got.openTime, 86400000);
  const two = await call({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  assert.deepEqual(two.map((t) => t.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
  two.forEach(sound);
  assert.equal((await call({})).length, 2);
});

each('ticker.tradingDay', async (w, call) => {
  const got = await call({ symbol });
  sound(got);
  assert.equal(got.openTime, Math.floor(Date.now() / 86400000) * 86400000);
  assert.equal(got.closeTime, got.openTime + 86399999);
});

each('ticker', async (w, call) => {
  const got = await call({ symbol, windowSize: '1h' });
  sound(got);
  assert.equal(got.openTime % 60000, 0, 'a window does not open on a minute');
  const wide = got.closeTime - got.openTime;
  assert.ok(wide >= 3600000 && wide < 3660000, `the window is ${wide} ms wide`);
});

each('ticker.price', async (w, call) => {
  const got = await call({ symbol });
  has(got, `${single} price:string`);
  const recent = await w.v.market('trades', { symbol, limit: 1000 });
  assert.ok(recent.some((t) => fixed(t.price) === fixed(got.price)), `got ${got.price}, which nobody paid`);
  assert.deepEqual((await call({})).map((t) => t.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
});

each('ticker.book', async (w, call) => {
  const before = (await w.v.sim('book', { symbol })).lastUpdateId;
  const got = await call({ symbol });
  const after = (await w.v.sim('book', { symbol })).lastUpdateId;
  has(got, `${single} bidPrice bidQty askPrice askQty`);
  const tops = [];
  for (let u = before; u <= after; u++) {
    const b = await w.v.sim('book', { symbol, u });
    tops.push([...b.bids[0], ...b.asks[0]].map(fixed).join());
  }
  assert.ok(tops.includes([got.bidPrice, got.bidQty, got.askPrice, got.askQty].map(fixed).join()), `got ${JSON.stringify(got)}, which the book never was`);
  assert.deepEqual((await call({})).map((t) => t.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
});
