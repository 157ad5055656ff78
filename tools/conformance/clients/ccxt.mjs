// ccxt. REST rows use its implicit calls, one per endpoint; WS API rows its unified calls, whose raw answer is info. What
// the unified calls make of an order or a trade is held against info on the way.
import assert from 'node:assert/strict';
import ccxt from 'ccxt';
import { NotOffered, until } from '../lib/cases.mjs';
import { fixed } from '../lib/venue.mjs';
import { Session } from './session.mjs';

export const name = 'ccxt';
export const version = '4.5.84';
export const blocked = () => 0;

const restNames = {
  ping: 'publicGetPing', time: 'publicGetTime', exchangeInfo: 'publicGetExchangeInfo', executionRules: 'publicGetExecutionRules', referencePrice: 'publicGetReferencePrice',
  'referencePrice.calculation': 'publicGetReferencePriceCalculation', depth: 'publicGetDepth', 'trades.recent': 'publicGetTrades', 'trades.historical': 'publicGetHistoricalTrades',
  'blockTrades.historical': 'publicGetHistoricalBlockTrades', 'trades.aggregate': 'publicGetAggTrades', klines: 'publicGetKlines', uiKlines: 'publicGetUiKlines', avgPrice: 'publicGetAvgPrice',
  'ticker.24hr': 'publicGetTicker24hr', 'ticker.tradingDay': 'publicGetTickerTradingDay', ticker: 'publicGetTicker', 'ticker.price': 'publicGetTickerPrice', 'ticker.book': 'publicGetTickerBookTicker',
  'order.place': 'privatePostOrder', 'order.test': 'privatePostOrderTest', 'order.cancel': 'privateDeleteOrder', 'openOrders.cancelAll': 'privateDeleteOpenOrders',
  'order.cancelReplace': 'privatePostOrderCancelReplace', 'order.amend.keepPriority': 'privatePutOrderAmendKeepPriority', 'orderList.place': 'privatePostOrderOco',
  'orderList.place.oco': 'privatePostOrderListOco', 'orderList.place.oto': 'privatePostOrderListOto', 'orderList.place.otoco': 'privatePostOrderListOtoco',
  'orderList.place.opo': 'privatePostOrderListOpo', 'orderList.place.opoco': 'privatePostOrderListOpoco', 'orderList.cancel': 'privateDeleteOrderList',
  'sor.order.place': 'privatePostSorOrder', 'sor.order.test': 'privatePostSorOrderTest', 'order.status': 'privateGetOrder', 'openOrders.status': 'privateGetOpenOrders',
  allOrders: 'privateGetAllOrders', 'order.amendments': 'privateGetOrderAmendments', 'orderList.status': 'privateGetOrderList', allOrderLists: 'privateGetAllOrderList',
  'openOrderLists.status': 'privateGetOpenOrderList', myFilters: 'privateGetMyFilters', myAllocations: 'privateGetMyAllocations', myTrades: 'privateGetMyTrades',
  'account.status': 'privateGetAccount', 'account.commission': 'privateGetAccountCommission', 'account.rateLimits.orders': 'privateGetRateLimitOrder',
  myPreventedMatches: 'privateGetMyPreventedMatches', 'userDataStream.start': 'publicPostUserDataStream', 'userDataStream.ping': 'publicPutUserDataStream',
  'userDataStream.stop': 'publicDeleteUserDataStream',
};

// Where ccxt keeps the text alone, its class stands for the code.
const byClass = { OrderImmediatelyFillable: -2010, InsufficientFunds: -2010, InvalidOrder: -1013 };

export function errorOf(e) {
  const m = /\{.*\}/s.exec(e?.message ?? '');
  if (!m) return { code: byClass[e?.constructor?.name], msg: e?.message?.replace(/^binance /, '') };
  const body = JSON.parse(m[0]);
  return body.error ?? body;
}

export const skewed = true; // its clock is its own
export const resubscribes = true;
export const weight = (s) => Number(s.ex.last_response_headers['X-Mbx-Used-Weight-1m']);
export const orders = (s) => Number(s.ex.last_response_headers['X-Mbx-Order-Count-1d']);
export const never = {
  'errors, WS API | an unknown symbol: -1121': 'knows only the symbols of exchangeInfo',
  'errors, WS API | a parameter is missing: -1102': 'sends timeInForce GTC of its own',
  'errors, WS API | filter PRICE_FILTER: -1013': 'rounds to the filter before it sends',
  'errors, WS API | filter LOT_SIZE: -1013': 'rounds to the filter before it sends',
};

export const unified = { BTCUSDT: 'BTC/USDT', ETHUSDT: 'ETH/USDT' };

const numbers = (o) => JSON.parse(JSON.stringify(o), (k, x) => x); // drops what is undefined

// sameOrder holds a unified order against the venue's own words in info, which it gives back.
export function sameOrder(o) {
  const i = o.info;
  if (i.orderId === undefined || i.origQty === undefined) return i;
  assert.equal(o.id, String(i.orderId));
  assert.equal(o.symbol, unified[i.symbol]);
  assert.equal(o.side, i.side.toLowerCase());
  if (fixed(i.origQty) > 0n) assert.equal(fixed(o.amount), fixed(i.origQty));
  assert.equal(fixed(o.filled), fixed(i.executedQty));
  if (i.cummulativeQuoteQty !== undefined) assert.equal(fixed(o.cost), fixed(i.cummulativeQuoteQty));
  const status = { NEW: 'open', PENDING_NEW: 'open', PARTIALLY_FILLED: 'open', FILLED: 'closed', CANCELED: 'canceled', EXPIRED: 'expired', EXPIRED_IN_MATCH: 'expired' };
  assert.equal(o.status, status[i.status]);
  return i;
}

export function sameTrade(t) {
  assert.equal(t.id, String(t.info.id));
  assert.equal(fixed(t.amount), fixed(t.info.qty));
  assert.equal(fixed(t.price), fixed(t.info.price));
  return t.info;
}

// point turns every address of the exchange to the venue; futures and the rest have nowhere to go.
export function point(ex, v) {
  const host = v.hostPort;
  const turn = (o, ws) => {
    for (const k of Object.keys(o)) {
      if (typeof o[k] !== 'string') turn(o[k], ws || k === 'ws');
      else if (ws || /^wss?:/.test(o[k])) o[k] = `ws://${host}${new URL(o[k]).pathname}`;
      else o[k] = `http://${host}${new URL(o[k]).pathname}`;
    }
  };
  turn(ex.urls.api, false);
  // It tells spot sockets by "/stream" in their address.
  ex.urls.api.ws.spot = `ws://stream.localhost:${host.split(':')[1]}/ws`;
}

export async function open(v, { account = 'main', kind = 'HMAC', key, skew = 0 } = {}) {
  const k = key ?? v.keys[account][kind];
  const ex = new ccxt.pro.binance({
    apiKey: k.apiKey, secret: k.secret ?? k.privateKey, enableRateLimit: false, newUpdates: true,
    options: { fetchMarkets: { types: ['spot'] }, fetchCurrencies: false, warnOnFetchOpenOrdersWithoutSymbol: false },
  });
  point(ex, v);
  ex.options.fetchOpenOrders = { warnWithoutSymbol: false };
  await ex.loadHttpProxyAgent();
  await ex.loadMarkets();
  ex.options.timeDifference = skew;
  const rest = {};
  for (const [op, fn] of Object.entries(restNames)) {
    if (typeof ex[fn] !== 'function') continue;
    rest[op] = (p) => {
      const q = numbers(p);
      for (const x of Object.keys(q)) if (Array.isArray(q[x])) q[x] = JSON.stringify(q[x]);
      return ex[fn](q).then(typed);
    };
  }
  const S = (p) => unified[p.symbol];
  const less = (p, ...names) => numbers(Object.fromEntries(Object.entries(p).filter(([k2]) => !names.includes(k2))));
  const create = (p, more = {}) => {
    if (p.type === 'LIMIT' && p.price === undefined) throw new NotOffered('createOrderWs wants a price for every LIMIT order');
    return ex.createOrderWs(S(p), p.type, p.side.toLowerCase(), p.quantity === undefined ? undefined : Number(p.quantity), p.price === undefined ? undefined : Number(p.price),
      { ...less(p, 'symbol', 'type', 'side', 'quantity', 'price'), ...more });
  };
  const ws = {
    'order.place': async (p) => sameOrder(await create(p)),
    'order.test': async (p) => { await create(p, { test: true }); return {}; },
    'order.cancel': async (p) => sameOrder(await ex.cancelOrderWs(p.orderId, S(p), less(p, 'symbol', 'orderId'))),
    'openOrders.cancelAll': async (p) => (await ex.cancelAllOrdersWs(S(p))).map(sameOrder),
    'order.status': async (p) => sameOrder(await ex.fetchOrderWs(p.orderId, S(p), less(p, 'symbol', 'orderId'))),
    'openOrders.status': async (p) => {
      if (p.symbol === undefined) throw new NotOffered('fetchOpenOrdersWs wants a symbol');
      return (await ex.fetchOpenOrdersWs(S(p))).map(sameOrder);
    },
    allOrders: async (p) => (await ex.fetchOrdersWs(S(p), undefined, undefined, less(p, 'symbol'))).map(sameOrder),
    myTrades: async (p) => (await ex.fetchMyTradesWs(S(p), undefined, p.limit, less(p, 'symbol', 'limit'))).map(sameTrade),
    'trades.historical': async (p) => (await ex.fetchTradesWs(S(p), undefined, p.limit, less(p, 'symbol', 'limit'))).map(sameTrade),
    'account.status': async () => (await ex.fetchBalanceWs()).info,
  };
  const s = new Session(rest, ws);
  Object.assign(s, { v, ex, stream, user, options: { account, kind, key } });
  s.close = () => ex.close();
  return s;
}

// typed gives implicit answers their types back: ccxt's parser turns numbers into texts, so that none loses a digit.
const texts = new Set(['price', 'qty']);
function typed(o) {
  if (Array.isArray(o)) return o.map(typed);
  if (o && typeof o === 'object') {
    for (const k of Object.keys(o)) o[k] = typed(o[k]);
    return o;
  }
  return typeof o === 'string' && /^-?\d{1,15}$/.test(o) && !texts.has(o) ? Number(o) : o;
}

// watching gives the unified call that subscribes a stream, and which raw events are that stream's.
function watching(ex, name) {
  if (name === '!miniTicker@arr') return [() => ex.watchTickers(), (e) => Array.isArray(e)];
  if (name === '!ticker_1h@arr') return [() => ex.watchTickers(undefined, { name: 'ticker_1h' }), (e) => Array.isArray(e)];
  const [id, what, speed] = name.split('@');
  const s = unified[id.toUpperCase()];
  const is = (kind) => (e) => e.e === kind && e.s === id.toUpperCase();
  const un = {
    trade: () => ex.unWatchTrades(s), bookTicker: () => ex.unWatchBidsAsks([s]), ticker: () => ex.unWatchTicker(s),
  };
  let m;
  switch (what) {
    case 'trade': return [() => ex.watchTrades(s), is('trade'), un.trade];
    case 'aggTrade': return [() => ex.watchTrades(s, undefined, undefined, { name: 'aggTrade' }), is('aggTrade')];
    case 'bookTicker': return [() => ex.watchBidsAsks([s]), (e) => e.u !== undefined && e.e === undefined && e.s === id.toUpperCase(), un.bookTicker];
    case 'ticker': return [() => ex.watchTicker(s, { name: 'ticker' }), is('24hrTicker'), un.ticker];
    case 'miniTicker': return [() => ex.watchTicker(s, { name: 'miniTicker' }), is('24hrMiniTicker')];
    case 'depth': if (speed) return [() => ex.watchOrderBook(s), is('depthUpdate')]; break;
    default:
  }
  if ((m = /^kline_(\w+)$/.exec(what)) && !speed) return [() => ex.watchOHLCV(s, m[1]), is('kline')];
  if ((m = /^ticker_(\w+)$/.exec(what))) return [() => ex.watchTicker(s, { name: what }), is(`${m[1]}Ticker`)];
  throw new NotOffered(`no call for ${name}`);
}

async function stream(names, on, failed) {
  const s = await open(this.v);
  const { ex } = s;
  let ended = false;
  let watches;
  try {
    watches = names.map((n) => watching(ex, n));
  } catch (e) {
    await s.close();
    throw e;
  }
  const handle = ex.handleMessage;
  ex.handleMessage = (client, m) => {
    for (const [, is] of watches) if (is(m)) on(structuredClone(m));
    return handle.call(ex, client, m);
  };
  if (names.length > 1) watches.splice(0, 2, [() => ex.watchTradesForSymbols(Object.values(unified), undefined, undefined, { name: 'aggTrade' }), (e) => e.e === 'aggTrade']);
  const loops = watches.map(async ([watch]) => {
    while (!ended) {
      try {
        await watch();
      } catch (e) {
        if (!ended) failed(e);
        await new Promise((done) => setTimeout(done, 50));
      }
    }
  });
  const un = watches[0][2];
  return {
    unsubscribe: un && (async () => { ended = true; await un(); }),
    stop: async () => { ended = true; await s.close(); await Promise.allSettled(loops.map((l) => Promise.race([l, new Promise((done) => setTimeout(done, 100))]))); },
  };
}

async function user(on) {
  const s = await open(this.v, this.options);
  const { ex } = s;
  let ended = false;
  const handle = ex.handleMessage;
  ex.handleMessage = (client, m) => {
    if (m.event?.e) on(structuredClone(m.event));
    return handle.call(ex, client, m);
  };
  const watch = async (call) => {
    while (!ended) {
      try { await call(); } catch { await new Promise((done) => setTimeout(done, 100)); }
    }
  };
  watch(() => ex.watchOrders());
  watch(() => ex.watchBalance());
  await until('the subscription', async () => ((await this.v.sim('stats')).sockets ?? []).some((x) => x.kind === 'wsapi' && x.users > 0));
  return { stop: async () => { ended = true; await s.close(); } };
}
