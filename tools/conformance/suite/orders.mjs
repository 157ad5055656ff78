// The life of single orders, by REST and by the WS API.
import assert from 'node:assert/strict';
import { fails, has } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { agree, overlap } from './market.mjs';
import { book, each as eachIn, id, limit, moved, only, symbol, traded } from './desk.mjs';

const each = (name, run) => eachIn('orders', name, run);
const sameOrder = (got, want) => {
  const skip = ['transactTime', 'time', 'updateTime', 'workingTime', 'fills', 'clientOrderId'];
  overlap(got, Object.fromEntries(Object.entries(want).filter(([k]) => !skip.includes(k))), 'order');
};

each('LIMIT: placed, found, cancelled', async (d) => {
  const before = await d.v.balances(d.account);
  const newClientOrderId = id('limit');
  const o = await d.place(limit('BUY', '0.01', '50000.00', { newClientOrderId }));
  has(o, 'symbol:string orderId:number clientOrderId:string transactTime:number price origQty executedQty status type side timeInForce');
  agree(o, { symbol, clientOrderId: newClientOrderId, price: '50000', origQty: '0.01', executedQty: '0', status: 'NEW', type: 'LIMIT', side: 'BUY', timeInForce: 'GTC' });
  const open = await only(d);
  assert.equal(open.orderId, o.orderId);
  sameOrder(o, open);
  assert.deepEqual(await book(d.v), { bids: ['50000 x 0.01'], asks: [] });
  assert.equal((await d.v.balances(d.account)).USDT.locked - before.USDT.locked, fixed('500'));
  const end = await d.v.by(d.account, 'DELETE', 'order', { symbol, orderId: o.orderId });
  assert.equal(end.status, 'CANCELED');
  assert.deepEqual(await d.v.balances(d.account), before);
});

each('query by either id', async (d) => {
  const newClientOrderId = id('query');
  const o = await d.v.by(d.account, 'POST', 'order', limit('SELL', '0.02', '70000', { newClientOrderId }));
  const want = await d.status({ orderId: o.orderId });
  for (const by of [{ orderId: o.orderId }, { origClientOrderId: newClientOrderId }]) {
    const got = await d.call('order.status')({ symbol, ...by });
    has(got, 'orderId clientOrderId price origQty executedQty status type side time:number updateTime:number isWorking:boolean');
    overlap(got, want, 'order');
  }
  await fails(d.client, () => d.call('order.status')({ symbol, orderId: 999999999 }), -2013, 'Order does not exist.');
});

each('cancel by either id', async (d) => {
  for (const by of ['orderId', 'origClientOrderId']) {
    const newClientOrderId = id('cancel');
    const o = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '50000', { newClientOrderId }));
    const got = await d.call('order.cancel')({ symbol, [by]: by === 'orderId' ? o.orderId : newClientOrderId });
    has(got, 'symbol orderId origClientOrderId status executedQty');
    agree(got, { orderId: o.orderId, origClientOrderId: newClientOrderId, status: 'CANCELED', executedQty: '0' });
    assert.equal((await d.status({ orderId: o.orderId })).status, 'CANCELED');
  }
  assert.deepEqual(await book(d.v), { bids: [], asks: [] });
});

each('cancel restrictions', async (d) => {
  const o = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '50000'));
  await fails(d.client, () => d.call('order.cancel')({ symbol, orderId: o.orderId, cancelRestrictions: 'ONLY_PARTIALLY_FILLED' }), -2011, 'Order was not canceled due to cancel restrictions.');
  agree(await d.call('order.cancel')({ symbol, orderId: o.orderId, cancelRestrictions: 'ONLY_NEW' }), { status: 'CANCELED' });
});

each('MARKET by quantity, fills and balances', async (d) => {
  await d.v.print('60000'); // a symbol that has never traded takes no MARKET order
  await d.v.limit('second', 'SELL', '0.01', '60000');
  await d.v.limit('second', 'SELL', '0.01', '60010');
  const before = await d.v.balances(d.account);
  const o = await d.place({ symbol, side: 'BUY', type: 'MARKET', quantity: '0.015', newOrderRespType: 'FULL', newClientOrderId: id('market') });
  agree(o, { status: 'FILLED', executedQty: '0.015', cummulativeQuoteQty: '900.05', type: 'MARKET' });
  assert.deepEqual(o.fills.map((f) => [Number(f.price), Number(f.qty)]), [[60000, 0.01], [60010, 0.005]]);
  moved(before, await d.v.balances(d.account), traded('BUY', o.fills));
  assert.deepEqual((await book(d.v)).asks, ['60010 x 0.005']);
});

each('MARKET by quote quantity', async (d) => {
  await d.v.limit('second', 'BUY', '0.01', '60000');
  const before = await d.v.balances(d.account);
  const o = await d.place({ symbol, side: 'SELL', type: 'MARKET', quoteOrderQty: '300', newOrderRespType: 'FULL', newClientOrderId: id('quote') });
  agree(o, { status: 'FILLED', executedQty: '0.005', cummulativeQuoteQty: '300' });
  moved(before, await d.v.balances(d.account), traded('SELL', o.fills));
});

each('IOC: the rest expires', async (d) => {
  await d.v.limit('second', 'SELL', '0.004', '60000');
  const o = await d.place(limit('BUY', '0.01', '60000', { timeInForce: 'IOC' }));
  agree(o, { status: 'EXPIRED', executedQty: '0.004', origQty: '0.01', timeInForce: 'IOC' });
  assert.deepEqual(await book(d.v), { bids: [], asks: [] });
});

each('FOK: nothing or all', async (d) => {
  await d.v.limit('second', 'SELL', '0.004', '60000');
  agree(await d.place(limit('BUY', '0.01', '60000', { timeInForce: 'FOK' })), { status: 'EXPIRED', executedQty: '0' });
  agree(await d.place(limit('BUY', '0.004', '60000', { timeInForce: 'FOK' })), { status: 'FILLED', executedQty: '0.004' });
});

each('LIMIT_MAKER: rests, or is refused', async (d) => {
  await d.v.limit('second', 'SELL', '0.01', '60000');
  const p = { symbol, side: 'BUY', type: 'LIMIT_MAKER', quantity: '0.01', newOrderRespType: 'RESULT' };
  await fails(d.client, () => d.place({ ...p, price: '60000' }), -2010, 'Order would immediately match and take.');
  agree(await d.place({ ...p, price: '59999.99' }), { status: 'NEW', type: 'LIMIT_MAKER' });
  assert.deepEqual((await book(d.v)).bids, ['59999.99 x 0.01']);
});

for (const [type, price, stop, fires] of [['STOP_LOSS', undefined, '59000', '59000'], ['STOP_LOSS_LIMIT', '58500', '59000', '58990'],
  ['TAKE_PROFIT', undefined, '61000', '61000'], ['TAKE_PROFIT_LIMIT', '60500', '61000', '61010']]) {
  each(`${type}: waits, then works`, async (d) => {
    await d.v.print('60000');
    const p = { symbol, side: 'SELL', type, quantity: '0.005', stopPrice: stop, newOrderRespType: 'RESULT', newClientOrderId: id('stop') };
    if (price) Object.assign(p, { price, timeInForce: 'GTC' });
    const o = await d.place(p);
    agree(o, { status: 'NEW', type, executedQty: '0' });
    const waiting = await d.status({ orderId: o.orderId });
    agree(waiting, { isWorking: false, stopPrice: stop });
    assert.deepEqual((await book(d.v)).asks, []);
    await d.v.print(fires);
    if (!price) return agree(await d.status({ orderId: o.orderId }), { status: 'EXPIRED', isWorking: true }); // no liquidity: a MARKET order now
    agree(await d.status({ orderId: o.orderId }), { status: 'NEW', isWorking: true });
    await d.v.limit('second', 'BUY', '0.005', price);
    return agree(await d.status({ orderId: o.orderId }), { status: 'FILLED', executedQty: '0.005' });
  });
}

each('trailing stop', async (d) => {
  await d.v.print('60000');
  const o = await d.place({ symbol, side: 'SELL', type: 'STOP_LOSS', quantity: '0.005', trailingDelta: 100, newOrderRespType: 'RESULT', newClientOrderId: id('trail') });
  agree(o, { status: 'NEW', type: 'STOP_LOSS' });
  for (const at of ['61000', '62000', '61400']) await d.v.print(at);
  agree(await d.status({ orderId: o.orderId }), { isWorking: false, status: 'NEW', trailingDelta: 100 });
  await d.v.print('61380'); // 1 % below 62000
  agree(await d.status({ orderId: o.orderId }), { isWorking: true });
});

each('iceberg shows a part', async (d) => {
  const o = await d.place(limit('SELL', '0.05', '60000', { icebergQty: '0.01', newClientOrderId: id('ice') }));
  agree(o, { status: 'NEW', origQty: '0.05' });
  agree(await d.status({ orderId: o.orderId }), { icebergQty: '0.01' });
  assert.deepEqual((await book(d.v)).asks, ['60000 x 0.01']);
  await d.v.limit('second', 'BUY', '0.01', '60000');
  assert.deepEqual((await book(d.v)).asks, ['60000 x 0.01']);
});

each('pegged order', async (d) => {
  await d.v.limit('second', 'BUY', '0.01', '59000');
  const o = await d.place({ symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.002', pegPriceType: 'PRIMARY_PEG', newOrderRespType: 'RESULT' });
  agree(await d.status({ orderId: o.orderId }), { pegPriceType: 'PRIMARY_PEG', peggedPrice: '59000' });
  assert.deepEqual((await book(d.v)).bids, ['59000 x 0.012']);
});

each('filled as maker', async (d) => {
  const before = await d.v.balances(d.account);
  const o = await d.place(limit('BUY', '0.01', '59000'));
  await d.v.limit('second', 'SELL', '0.004', '59000');
  agree(await d.call('order.status')({ symbol, orderId: o.orderId }), { status: 'PARTIALLY_FILLED', executedQty: '0.004', cummulativeQuoteQty: '236' });
  await d.v.limit('second', 'SELL', '0.006', '59000');
  agree(await d.call('order.status')({ symbol, orderId: o.orderId }), { status: 'FILLED', executedQty: '0.01' });
  const fills = (await d.v.sim('trades', { account: d.account })).filter((t) => t.orderId === o.orderId);
  assert.deepEqual(fills.map((t) => [Number(t.qty), t.isMaker]), [[0.004, true], [0.006, true]]);
  moved(before, await d.v.balances(d.account), traded('BUY', fills));
});

each('self-trade prevention', async (d) => {
  const maker = await d.v.by(d.account, 'POST', 'order', limit('SELL', '0.01', '60000'));
  const o = await d.place(limit('BUY', '0.004', '60000', { selfTradePreventionMode: 'EXPIRE_TAKER' }));
  agree(o, { status: 'EXPIRED_IN_MATCH', executedQty: '0' });
  const got = await d.call('myPreventedMatches')({ symbol, orderId: o.orderId });
  assert.equal(got.length, 1);
  agree(got[0], { symbol, takerOrderId: o.orderId, makerOrderId: maker.orderId, selfTradePreventionMode: 'EXPIRE_TAKER', price: '60000', takerPreventedQuantity: '0.004' });
});

each('test order', async (d) => {
  const got = await d.call('order.test')(limit('BUY', '0.01', '50000', { newOrderRespType: undefined }));
  assert.deepEqual(got ?? {}, {});
  assert.deepEqual(await d.v.sim('orders', { account: d.account }), []);
  await fails(d.client, () => d.call('order.test')(limit('BUY', '0.00001', '50000', { newOrderRespType: undefined })), -1013, 'Filter failure: NOTIONAL');
});

each('cancelReplace: both, half, none', async (d) => {
  const call = d.call('order.cancelReplace');
  const first = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '50000'));
  const next = limit('BUY', '0.01', '51000', { newOrderRespType: 'RESULT', cancelReplaceMode: 'STOP_ON_FAILURE' });
  const got = await call({ ...next, cancelOrderId: first.orderId });
  agree(got, { cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS' });
  agree(got.cancelResponse, { orderId: first.orderId, status: 'CANCELED' });
  agree(got.newOrderResponse, { status: 'NEW', price: '51000' });
  assert.deepEqual((await book(d.v)).bids, ['51000 x 0.01']);
  await fails(d.client, () => call({ ...next, cancelOrderId: first.orderId }), -2022, 'Order cancel-replace failed.');
  assert.deepEqual((await book(d.v)).bids, ['51000 x 0.01']);
  await fails(d.client, () => call({ ...next, quantity: '90', cancelOrderId: got.newOrderResponse.orderId }), -2021, 'Order cancel-replace partially failed.');
  assert.deepEqual((await book(d.v)).bids, []);
});

each('amend keeps the place in the queue', async (d) => {
  const o = await d.v.by(d.account, 'POST', 'order', limit('SELL', '0.01', '60000'));
  await d.v.limit('second', 'SELL', '0.01', '60000');
  const newClientOrderId = id('amended');
  const got = await d.call('order.amend.keepPriority')({ symbol, orderId: o.orderId, newQty: '0.006', newClientOrderId });
  has(got, 'transactTime executionId amendedOrder');
  agree(got.amendedOrder, { orderId: o.orderId, qty: '0.006', status: 'NEW', clientOrderId: newClientOrderId, origClientOrderId: o.clientOrderId });
  await d.v.limit('third', 'BUY', '0.006', '60000');
  agree(await d.status({ orderId: o.orderId }), { status: 'FILLED', executedQty: '0.006' });
  await fails(d.client, () => d.call('order.amend.keepPriority')({ symbol, orderId: o.orderId, newQty: '0.001' }), -2038);
});

each('amendments', async (d) => {
  const call = d.call('order.amendments');
  const o = await d.v.by(d.account, 'POST', 'order', limit('SELL', '0.01', '60000'));
  await d.v.by(d.account, 'PUT', 'order/amend/keepPriority', { symbol, orderId: o.orderId, newQty: '0.006' });
  const got = await call({ symbol, orderId: o.orderId });
  assert.equal(got.length, 1);
  agree(got[0], { symbol, orderId: o.orderId, origQty: '0.01', newQty: '0.006' });
});

const elsewhere = (d) => d.v.by(d.account, 'POST', 'order', { ...limit('BUY', '0.01', '2000'), symbol: 'ETHUSDT' });

each('open orders of all symbols', async (d) => {
  const ids = [(await elsewhere(d)).orderId, (await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.001', '50000'))).orderId];
  const open = await d.call('openOrders.status')({});
  assert.deepEqual(open.map((o) => o.symbol).sort(), ['BTCUSDT', 'ETHUSDT']);
  assert.ok(ids.every((x) => open.some((o) => o.orderId === x)));
});

each('open orders and cancel all', async (d) => {
  const placed = [];
  for (const price of ['50000', '50001', '50002']) placed.push((await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.001', price))).orderId);
  const other = await elsewhere(d);
  const open = await d.call('openOrders.status')({ symbol });
  assert.deepEqual(open.map((o) => o.orderId).sort(), placed.slice().sort());
  for (const o of open) overlap(o, await d.status({ orderId: o.orderId }), 'order');
  const ended = await d.call('openOrders.cancelAll')({ symbol });
  assert.deepEqual(ended.map((o) => o.orderId).sort(), placed.slice().sort());
  assert.ok(ended.every((o) => o.status === 'CANCELED'));
  assert.deepEqual((await d.v.sim('orders', { account: d.account })).map((o) => o.symbol), ['ETHUSDT']);
  assert.equal(other.status, 'NEW');
  await fails(d.client, () => d.call('openOrders.cancelAll')({ symbol }), -2011, 'Unknown order sent.');
});

each('all orders', async (d) => {
  const o = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.001', '50000'));
  const want = await d.v.by(d.account, 'GET', 'allOrders', { symbol, limit: 20 });
  overlap(await d.call('allOrders')({ symbol, limit: 20 }), want, 'orders');
  const from = await d.call('allOrders')({ symbol, orderId: o.orderId });
  assert.deepEqual(from.map((x) => x.orderId), [o.orderId]);
});

each('my trades', async (d) => {
  await d.v.limit('second', 'SELL', '0.01', '60000');
  const o = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '60000'));
  const truth = await d.v.sim('trades', { account: d.account });
  const got = await d.call('myTrades')({ symbol, orderId: o.orderId });
  assert.equal(got.length, 1);
  has(got[0], 'symbol id orderId price qty quoteQty commission commissionAsset time:number isBuyer:boolean isMaker:boolean');
  const want = truth.find((t) => t.id === got[0].id);
  overlap(got[0], { ...want, time: Math.floor(want.time / 1000) }, 'fill');
  const all = await d.call('myTrades')({ symbol, fromId: got[0].id, limit: 5 });
  assert.deepEqual(all.map((t) => t.id), [got[0].id]);
});

each('account', async (d) => {
  await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.01', '50000'));
  const got = await d.call('account.status')({});
  has(got, 'makerCommission takerCommission canTrade accountType balances permissions');
  const want = await d.v.balances(d.account);
  const have = Object.fromEntries(got.balances.map((b) => [b.asset, { free: fixed(b.free), locked: fixed(b.locked) }]));
  for (const asset of Object.keys(want)) assert.deepEqual(have[asset], want[asset], asset);
  assert.ok(want.USDT.locked > 0n && got.canTrade === true && got.accountType === 'SPOT');
});

each('commission rates', async (d) => {
  const got = await d.call('account.commission')({ symbol });
  agree(got, { symbol, standardCommission: { maker: '0.001', taker: '0.001', buyer: '0', seller: '0' } });
});

each('order rate limits', async (d) => {
  const call = d.call('account.rateLimits.orders');
  const day = (list) => list.find((r) => r.interval === 'DAY');
  const before = day(await call({}));
  agree(before, { rateLimitType: 'ORDERS', intervalNum: 1, limit: 160000 });
  await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.001', '50000'));
  assert.equal(day(await call({})).count, before.count + 1);
});

each('filters of an account', async (d) => {
  const got = await d.call('myFilters')({ symbol });
  const [info] = (await d.v.market('exchangeInfo', { symbol })).symbols;
  assert.equal(got.symbolFilters.length, info.filters.length);
  has(got, 'exchangeFilters symbolFilters assetFilters');
});

each('allocations', async (d) => assert.deepEqual(await d.call('myAllocations')({ symbol }), []));

each('smart order routing is refused', async (d) => {
  await fails(d.client, () => d.call('sor.order.place')({ symbol, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.01', price: '50000' }), -1020, 'This operation is not supported.');
});
