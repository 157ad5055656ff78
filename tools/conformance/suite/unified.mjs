// ccxt's unified calls: what its parsers make of the venue, held against the venue.
import assert from 'node:assert/strict';
import { add, until } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { sameOrder, sameTrade } from '../clients/ccxt.mjs';
import { clear, limit, moved, symbol, traded } from './desk.mjs';

const market = (name, run) => add('ccxt unified', name, 'market', (w) => run(w, w.s.ex));
const quiet = (name, run) => add('ccxt unified', name, 'quiet', async (w) => {
  await clear(w.v);
  await run(w, w.s.ex);
  await clear(w.v);
});
const S = 'BTC/USDT';
const num = (text) => Number(text);

market('loadMarkets', async (w, ex) => {
  const m = ex.market(S);
  const [info] = (await w.v.market('exchangeInfo', { symbol })).symbols;
  const f = Object.fromEntries(info.filters.map((x) => [x.filterType, x]));
  assert.deepEqual([m.id, m.base, m.quote, m.spot, m.active], [symbol, 'BTC', 'USDT', true, true]);
  assert.deepEqual([m.precision.price, m.precision.amount], [num(f.PRICE_FILTER.tickSize), num(f.LOT_SIZE.stepSize)]);
  assert.deepEqual([m.limits.amount.min, m.limits.amount.max, m.limits.price.min, m.limits.price.max, m.limits.cost.min],
    [num(f.LOT_SIZE.minQty), num(f.LOT_SIZE.maxQty), num(f.PRICE_FILTER.minPrice), num(f.PRICE_FILTER.maxPrice), num(f.NOTIONAL.minNotional)]);
  assert.deepEqual(ex.symbols, ['BTC/USDT', 'ETH/USDT']);
});

async function sameBook(w, book, levels) {
  const want = await w.v.sim('book', { symbol, u: book.nonce });
  for (const side of ['bids', 'asks']) assert.deepEqual(book[side].slice(0, levels).map(([p, q]) => [p, q]), want[side].slice(0, levels).map(([p, q]) => [num(p), num(q)]), `${side} at ${book.nonce}`);
}

market('fetchOrderBook', async (w, ex) => sameBook(w, await ex.fetchOrderBook(S, 50), 50));

market('watchOrderBook keeps the book', async (w, ex) => {
  for (let i = 0; i < 10; i++) {
    const b = await ex.watchOrderBook(S);
    await sameBook(w, { nonce: b.nonce, bids: Array.from(b.bids, (l) => [...l]), asks: Array.from(b.asks, (l) => [...l]) }, 200); // it goes on changing
  }
  await ex.unWatchOrderBook(S);
});

market('fetchTicker, fetchTickers', async (w, ex) => {
  const t = await ex.fetchTicker(S);
  assert.deepEqual([t.symbol, t.last, t.open, t.high, t.low, t.bid, t.ask], [S, ...['lastPrice', 'openPrice', 'highPrice', 'lowPrice', 'bidPrice', 'askPrice'].map((k) => num(t.info[k]))]);
  assert.ok(t.bid < t.ask && t.low <= t.last && t.last <= t.high);
  assert.deepEqual(Object.keys(await ex.fetchTickers()).sort(), ex.symbols);
});

market('fetchBidsAsks', async (w, ex) => {
  const t = (await ex.fetchBidsAsks([S]))[S];
  assert.ok(t.bid > 0 && t.bid < t.ask && t.bidVolume > 0 && t.askVolume > 0);
});

market('fetchTrades', async (w, ex) => {
  const got = await ex.fetchTrades(S, undefined, 20);
  const first = got[0].info;
  const all = await w.v.market('historicalTrades', { symbol, fromId: first.f ?? first.id, limit: 1000 });
  for (const t of got) {
    const part = all.filter((x) => x.id >= num(t.info.f ?? t.info.id) && x.id <= num(t.info.l ?? t.info.id));
    assert.equal(t.price, num(part[0].price));
    assert.equal(fixed(t.info.q ?? t.info.qty), part.reduce((n, x) => n + fixed(x.qty), 0n));
    assert.equal(t.side, part[0].isBuyerMaker ? 'sell' : 'buy');
  }
});

market('fetchOHLCV', async (w, ex) => {
  const got = await ex.fetchOHLCV(S, '1s', undefined, 5);
  const want = await w.v.market('klines', { symbol, interval: '1s', startTime: got[0][0], limit: 4 });
  assert.deepEqual(got.slice(0, 4), want.map((k) => [k[0], ...[1, 2, 3, 4, 5].map((i) => num(k[i]))]));
});

market('fetchOHLCVWs', async (w, ex) => {
  const got = await ex.fetchOHLCVWs(S, '1s', undefined, 5);
  const want = await w.v.market('klines', { symbol, interval: '1s', startTime: got[0][0], limit: 4 });
  assert.deepEqual(got.slice(0, 4), want.map((k) => [k[0], ...[1, 2, 3, 4, 5].map((i) => num(k[i]))]));
});

market('fetchTime', async (w, ex) => assert.ok(Math.abs((await ex.fetchTime()) - Date.now()) < 1000));

quiet('createOrder, fetchOrder, cancelOrder', async (w, ex) => {
  const o = await ex.createOrder(S, 'limit', 'buy', 0.01, 50000);
  sameOrder(o);
  assert.deepEqual([o.status, o.amount, o.price, o.filled, o.type, o.side], ['open', 0.01, 50000, 0, 'limit', 'buy']);
  const found = await ex.fetchOrder(o.id, S);
  sameOrder(found);
  assert.deepEqual((await ex.fetchOpenOrders(S)).map((x) => x.id), [o.id]);
  assert.equal((await ex.cancelOrder(o.id, S)).status, 'canceled');
  assert.equal((await ex.fetchOrder(o.id, S)).status, 'canceled');
});

quiet('market order, trades, fee, balance', async (w, ex) => {
  await w.v.print('60000');
  await w.v.limit('second', 'SELL', '0.01', '60000');
  const before = await w.v.balances('main');
  const o = await ex.createOrder(S, 'market', 'buy', 0.01);
  sameOrder(o);
  assert.deepEqual([o.status, o.average, o.cost, o.fee.currency], ['closed', 60000, 600, 'BTC']);
  const mine = await ex.fetchMyTrades(S, undefined, undefined, { orderId: o.id });
  mine.forEach(sameTrade);
  const changes = traded('BUY', mine.map((t) => t.info));
  moved(before, await w.v.balances('main'), changes);
  const b = await ex.fetchBalance();
  const want = await w.v.balances('main');
  for (const asset of Object.keys(want)) assert.deepEqual([b[asset].free, b[asset].used].map((x) => fixed(x.toFixed(8))), [want[asset].free, want[asset].locked], asset);
});

quiet('createMarketBuyOrderWithCost', async (w, ex) => {
  await w.v.print('60000');
  await w.v.limit('second', 'SELL', '0.01', '60000');
  const o = await ex.createMarketBuyOrderWithCost(S, 300);
  assert.deepEqual([o.status, o.filled, o.cost], ['closed', 0.005, 300]);
});

quiet('post only, stop and stop-limit', async (w, ex) => {
  await w.v.print('60000');
  await w.v.limit('second', 'SELL', '0.01', '60000');
  await assert.rejects(ex.createOrder(S, 'limit', 'buy', 0.01, 60000, { postOnly: true }), (e) => e.constructor.name === 'OrderImmediatelyFillable');
  const maker = await ex.createOrder(S, 'limit', 'buy', 0.01, 59000, { postOnly: true });
  assert.equal((await ex.fetchOrder(maker.id, S)).postOnly, true);
  const stop = await ex.createOrder(S, 'limit', 'sell', 0.005, 58500, { stopLossPrice: 59000 });
  const found = await ex.fetchOrder(stop.id, S);
  assert.deepEqual([found.info.type, found.triggerPrice, found.status], ['STOP_LOSS_LIMIT', 59000, 'open']);
});

for (const call of ['editOrder', 'editOrderWs']) {
  quiet(call, async (w, ex) => {
    const o = await ex.createOrder(S, 'limit', 'buy', 0.01, 50000);
    const next = await ex[call](o.id, S, 'limit', 'buy', 0.01, 51000);
    assert.deepEqual([next.status, next.price], ['open', 51000]);
    const [open] = await w.v.sim('orders', { account: 'main' });
    assert.deepEqual([String(open.orderId), num(open.price)], [next.id, 51000]);
  });
}

quiet('cancelAllOrders', async (w, ex) => {
  await ex.createOrder(S, 'limit', 'buy', 0.01, 50000);
  await ex.createOrder(S, 'limit', 'buy', 0.01, 50001);
  assert.equal((await ex.cancelAllOrders(S)).length, 2);
  assert.deepEqual(await w.v.sim('orders', { account: 'main' }), []);
});

quiet('fetchOrders, fetchClosedOrders, fetchCanceledOrders', async (w, ex) => {
  const o = await w.v.by('main', 'POST', 'order', limit('BUY', '0.01', '50000'));
  await w.v.limit('second', 'SELL', '0.01', '50000');
  const all = await ex.fetchOrders(S);
  all.forEach(sameOrder);
  assert.equal(all.at(-1).id, String(o.orderId));
  assert.ok((await ex.fetchClosedOrders(S)).every((x) => x.status === 'closed'));
  assert.ok((await ex.fetchCanceledOrders(S)).every((x) => x.status === 'canceled'));
});

quiet('watchOrders, watchMyTrades, watchBalance', async (w, ex) => {
  const orders = ex.watchOrders(S);
  const trades = ex.watchMyTrades(S);
  await until('the subscription', async () => ((await w.v.sim('stats')).sockets ?? []).some((x) => x.kind === 'wsapi' && x.users > 0));
  const balance = ex.watchBalance();
  const o = await w.v.by('main', 'POST', 'order', limit('BUY', '0.01', '50000'));
  const [seen] = await orders;
  assert.deepEqual([seen.id, seen.status, seen.amount], [String(o.orderId), 'open', 0.01]);
  await w.v.limit('second', 'SELL', '0.01', '50000');
  const [t] = await trades;
  const [want] = (await w.v.sim('trades', { account: 'main' })).filter((x) => x.orderId === o.orderId);
  assert.deepEqual([t.id, t.order, t.price, t.amount, t.fee.cost, t.fee.currency, t.takerOrMaker], [String(want.id), String(o.orderId), 50000, 0.01, num(want.commission), want.commissionAsset, 'maker']);
  await balance;
  const truth = await w.v.balances('main');
  await until('the last balance', async () => fixed(ex.balance.spot.BTC.free.toFixed(8)) === truth.BTC.free && fixed(ex.balance.spot.USDT.free.toFixed(8)) === truth.USDT.free);
});
