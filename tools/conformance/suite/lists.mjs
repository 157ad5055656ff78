// Order lists, by REST and by the WS API.
import assert from 'node:assert/strict';
import { fails, has } from '../lib/cases.mjs';
import { agree } from './market.mjs';
import { book, each as eachIn, id, limit, symbol } from './desk.mjs';

const each = (name, run) => eachIn('order lists', name, run);

const oco = (more = {}) => ({ symbol, side: 'SELL', quantity: '0.01', aboveType: 'LIMIT_MAKER', abovePrice: '61000', belowType: 'STOP_LOSS_LIMIT',
  belowPrice: '58900', belowStopPrice: '59000', belowTimeInForce: 'GTC', listClientOrderId: id('oco'), newOrderRespType: 'RESULT', ...more });

async function started(d, list, kind, legs) {
  has(list, 'orderListId:number contingencyType listStatusType listOrderStatus listClientOrderId transactionTime orders orderReports');
  agree(list, { contingencyType: kind, listStatusType: 'EXEC_STARTED', listOrderStatus: 'EXECUTING', symbol });
  assert.equal(list.orders.length, legs.length);
  const got = [];
  for (const o of list.orders) {
    const s = await d.status({ orderId: o.orderId });
    assert.equal(s.orderListId, list.orderListId);
    const report = list.orderReports.find((r) => r.orderId === o.orderId);
    agree(report, { ...Object.fromEntries(['price', 'origQty', 'type', 'side', 'status', 'orderListId'].map((k) => [k, s[k]])) }, 'report');
    got.push(`${s.side} ${s.type} ${s.status}`);
  }
  assert.deepEqual(got.sort(), legs.slice().sort());
}

each('OCO: one leg fills, the other ends', async (d) => {
  await d.v.print('60000');
  const list = await d.call('orderList.place.oco')(oco());
  await started(d, list, 'OCO', ['SELL LIMIT_MAKER NEW', 'SELL STOP_LOSS_LIMIT NEW']);
  await d.v.limit('second', 'BUY', '0.01', '61000');
  const ends = {};
  for (const o of list.orders) {
    const s = await d.status({ orderId: o.orderId });
    ends[s.type] = s.status;
  }
  assert.deepEqual(ends, { LIMIT_MAKER: 'FILLED', STOP_LOSS_LIMIT: 'EXPIRED' });
});

each('OCO: prices on the wrong side', async (d) => {
  await d.v.print('60000');
  await fails(d.client, () => d.call('orderList.place.oco')(oco({ abovePrice: '59500', belowStopPrice: '60500', belowPrice: '60400' })), -2010, 'The relationship of the prices for the orders is not correct.');
});

each('the old OCO call', async (d) => {
  await d.v.print('60000');
  const list = await d.call('orderList.place')({ symbol, side: 'SELL', quantity: '0.01', price: '61000', stopPrice: '59000', stopLimitPrice: '58900',
    stopLimitTimeInForce: 'GTC', listClientOrderId: id('old'), newOrderRespType: 'RESULT' });
  await started(d, list, 'OCO', ['SELL LIMIT_MAKER NEW', 'SELL STOP_LOSS_LIMIT NEW']);
});

const oto = (more = {}) => ({ symbol, workingType: 'LIMIT', workingSide: 'BUY', workingPrice: '59000', workingQuantity: '0.01', workingTimeInForce: 'GTC',
  pendingType: 'LIMIT_MAKER', pendingSide: 'SELL', pendingPrice: '62000', pendingQuantity: '0.009', listClientOrderId: id('oto'), newOrderRespType: 'RESULT', ...more });

each('OTO: the second waits for the first', async (d) => {
  const list = await d.call('orderList.place.oto')(oto());
  await started(d, list, 'OTO', ['BUY LIMIT NEW', 'SELL LIMIT_MAKER PENDING_NEW']);
  assert.deepEqual(await book(d.v), { bids: ['59000 x 0.01'], asks: [] });
  await d.v.limit('second', 'SELL', '0.01', '59000');
  assert.deepEqual(await book(d.v), { bids: [], asks: ['62000 x 0.009'] });
});

each('OTOCO: a pair waits for the first', async (d) => {
  await d.v.print('60000');
  const list = await d.call('orderList.place.otoco')({ symbol, workingType: 'LIMIT', workingSide: 'BUY', workingPrice: '59000', workingQuantity: '0.01',
    workingTimeInForce: 'GTC', pendingSide: 'SELL', pendingQuantity: '0.009', pendingAboveType: 'LIMIT_MAKER', pendingAbovePrice: '62000',
    pendingBelowType: 'STOP_LOSS_LIMIT', pendingBelowPrice: '57900', pendingBelowStopPrice: '58000', pendingBelowTimeInForce: 'GTC',
    listClientOrderId: id('otoco'), newOrderRespType: 'RESULT' });
  await started(d, list, 'OTO', ['BUY LIMIT NEW', 'SELL LIMIT_MAKER PENDING_NEW', 'SELL STOP_LOSS_LIMIT PENDING_NEW']);
  await d.v.limit('second', 'SELL', '0.01', '59000');
  assert.deepEqual((await book(d.v)).asks, ['62000 x 0.009']);
});

each('OPO and OPOCO are not supported here', async (d) => {
  const { pendingQuantity, ...opo } = oto();
  assert.equal(pendingQuantity, '0.009');
  await fails(d.client, () => d.call('orderList.place.opo')(opo), -2010, 'OPO orders are not supported for this symbol.');
  await fails(d.client, () => d.call('orderList.place.opoco')({ symbol, workingType: 'LIMIT', workingSide: 'BUY', workingPrice: '59000', workingQuantity: '0.01',
    workingTimeInForce: 'GTC', pendingSide: 'SELL', pendingAboveType: 'LIMIT_MAKER', pendingAbovePrice: '62000' }), -2010, 'OPO orders are not supported for this symbol.');
});

each('a list is found', async (d) => {
  await d.v.print('60000');
  const list = await d.v.by(d.account, 'POST', 'orderList/oco', oco());
  const want = { orderListId: list.orderListId, contingencyType: 'OCO', listStatusType: 'EXEC_STARTED', listOrderStatus: 'EXECUTING', listClientOrderId: list.listClientOrderId, symbol };
  for (const by of [{ orderListId: list.orderListId }, { origClientOrderId: list.listClientOrderId }]) {
    const got = await d.call('orderList.status')(by);
    agree(got, want);
    assert.deepEqual(got.orders.map((o) => o.orderId).sort(), list.orders.map((o) => o.orderId).sort());
  }
});

each('open lists', async (d) => {
  await d.v.print('60000');
  const list = await d.v.by(d.account, 'POST', 'orderList/oco', oco());
  const got = await d.call('openOrderLists.status')({});
  assert.deepEqual(got.map((l) => l.orderListId), [list.orderListId]);
});

each('all lists', async (d) => {
  await d.v.print('60000');
  const list = await d.v.by(d.account, 'POST', 'orderList/oco', oco());
  const got = await d.call('allOrderLists')({ fromId: list.orderListId });
  assert.deepEqual(got.map((l) => l.orderListId), [list.orderListId]);
});

each('a list is cancelled', async (d) => {
  await d.v.print('60000');
  const list = await d.v.by(d.account, 'POST', 'orderList/oco', oco());
  const got = await d.call('orderList.cancel')({ symbol, orderListId: list.orderListId });
  agree(got, { orderListId: list.orderListId, listStatusType: 'ALL_DONE', listOrderStatus: 'ALL_DONE' });
  assert.equal(got.orderReports.length, 2);
  assert.ok(got.orderReports.every((r) => r.status === 'CANCELED'));
  assert.deepEqual(await d.v.sim('orders', { account: d.account }), []);
});

each('cancel all takes lists with it', async (d) => {
  await d.v.print('60000');
  const list = await d.v.by(d.account, 'POST', 'orderList/oco', oco());
  const single = await d.v.by(d.account, 'POST', 'order', limit('BUY', '0.001', '50000'));
  const got = await d.call('openOrders.cancelAll')({ symbol });
  assert.equal(got.length, 2);
  assert.ok(got.some((o) => o.orderListId === list.orderListId && o.orderReports?.length === 2), JSON.stringify(got));
  assert.ok(got.some((o) => o.orderId === single.orderId));
});
