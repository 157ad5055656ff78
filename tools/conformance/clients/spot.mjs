// @binance/spot, Binance's own connector.
import { Spot } from '@binance/spot';
import { NotOffered } from '../lib/cases.mjs';
import { Session } from './session.mjs';

const restNames = {
  ping: 'ping', time: 'time', exchangeInfo: 'exchangeInfo', executionRules: 'executionRules', referencePrice: 'referencePrice',
  'referencePrice.calculation': 'referencePriceCalculation', depth: 'depth', 'trades.recent': 'getTrades', 'trades.historical': 'historicalTrades',
  'blockTrades.historical': 'historicalBlockTrades', 'trades.aggregate': 'aggTrades', klines: 'klines', uiKlines: 'uiKlines', avgPrice: 'avgPrice',
  'ticker.24hr': 'ticker24hr', 'ticker.tradingDay': 'tickerTradingDay', ticker: 'ticker', 'ticker.price': 'tickerPrice', 'ticker.book': 'tickerBookTicker',
  'order.place': 'newOrder', 'order.test': 'orderTest', 'order.cancel': 'deleteOrder', 'openOrders.cancelAll': 'deleteOpenOrders',
  'order.cancelReplace': 'orderCancelReplace', 'order.amend.keepPriority': 'orderAmendKeepPriority', 'orderList.place': 'orderOco',
  'orderList.place.oco': 'orderListOco', 'orderList.place.oto': 'orderListOto', 'orderList.place.otoco': 'orderListOtoco',
  'orderList.place.opo': 'orderListOpo', 'orderList.place.opoco': 'orderListOpoco', 'orderList.cancel': 'deleteOrderList',
  'sor.order.place': 'sorOrder', 'sor.order.test': 'sorOrderTest', 'order.status': 'getOrder', 'openOrders.status': 'getOpenOrders',
  allOrders: 'allOrders', 'order.amendments': 'orderAmendments', 'orderList.status': 'getOrderList', allOrderLists: 'allOrderList',
  'openOrderLists.status': 'openOrderList', myFilters: 'myFilters', myAllocations: 'myAllocations', myTrades: 'myTrades',
  'account.status': 'getAccount', 'account.commission': 'accountCommission', 'account.rateLimits.orders': 'rateLimitOrder',
  myPreventedMatches: 'myPreventedMatches',
};

// Where the camel-cased method is another name: the rest follow the WS API's.
const wsNames = {};
for (const op of Object.keys(restNames)) wsNames[op] = op.replace(/\.(\w)/g, (_, c) => c.toUpperCase());
Object.assign(wsNames, { 'ticker.24hr': 'ticker24hr', 'session.logon': 'sessionLogon', 'session.status': 'sessionStatus', 'session.logout': 'sessionLogout', 'session.subscriptions': 'sessionSubscriptions' });

export const name = '@binance/spot';
export const version = '32.0.4';
export const blocked = () => 0;

export function errorOf(e) {
  if (e?.code !== undefined && e?.msg !== undefined) return { code: e.code, msg: e.msg }; // as the WS API gave it
  return { code: e?.code, msg: e?.message, status: e?.statusCode };
}

let lastLimits = [];
const limitOf = (type, interval) => lastLimits.find((l) => l.rateLimitType === type && l.interval === interval)?.count;
export const weight = () => limitOf('REQUEST_WEIGHT', 'MINUTE');
export const orders = () => limitOf('ORDERS', 'DAY');

export const logon = (s) => s.ws('session.logon')({});

export async function open(v, { account = 'main', kind = 'HMAC', key } = {}) {
  const k = key ?? v.keys[account][kind];
  const auth = k.secret ? { apiKey: k.apiKey, apiSecret: k.secret } : { apiKey: k.apiKey, privateKey: k.privateKey };
  const spot = new Spot({
    configurationRestAPI: { ...auth, basePath: v.rest, timeout: 10000, retries: 0 },
    configurationWebsocketAPI: { ...auth, wsURL: v.wsAPI, reconnectDelay: 100 },
    configurationWebsocketStreams: { wsURL: v.stream, reconnectDelay: 100 },
  });
  const rest = {};
  for (const [op, fn] of Object.entries(restNames)) {
    if (spot.restAPI[fn]) rest[op] = async (p) => {
      const r = await spot.restAPI[fn](p);
      lastLimits = r.rateLimits;
      return r.data();
    };
  }
  let api;
  const connection = () => (api ??= spot.websocketAPI.connect());
  const ws = {};
  for (const [op, fn] of Object.entries(wsNames)) {
    ws[op] = async (p) => {
      const c = await connection();
      const r = await c[fn]({ ...p });
      return Array.isArray(r) ? r[0].data : r.data;
    };
  }
  const probe = await connection();
  for (const [op, fn] of Object.entries(wsNames)) if (typeof probe[fn] !== 'function') delete ws[op];
  const s = new Session(rest, ws);
  Object.assign(s, { spot, stream, user, connection, kind });
  s.close = async () => {
    if (api) await (await api).disconnect();
  };
  return s;
}

const camel = { trade: 'trade', aggTrade: 'aggTrade', bookTicker: 'bookTicker', miniTicker: 'miniTicker', ticker: 'ticker', avgPrice: 'avgPrice', referencePrice: 'referencePrice', blockTrade: 'blockTrade' };

// begin subscribes one stream by the connector's own call for its kind.
function begin(c, name) {
  if (name === '!miniTicker@arr') return c.allMiniTicker();
  if (name === '!ticker_1h@arr') return c.allMarketRollingWindowTicker({ windowSize: '1h' });
  const [symbol, what, speed] = name.split('@');
  let m;
  if (camel[what]) return c[camel[what]]({ symbol });
  if (what === 'depth') return c.diffBookDepth({ symbol, updateSpeed: speed });
  if ((m = /^depth(\d+)$/.exec(what))) return c.partialBookDepth({ symbol, levels: m[1], updateSpeed: speed });
  if ((m = /^kline_(\w+)$/.exec(what))) return speed ? c.klineOffset({ symbol, interval: m[1] }) : c.kline({ symbol, interval: m[1] });
  if ((m = /^ticker_(\w+)$/.exec(what))) return c.rollingWindowTicker({ symbol, windowSize: m[1] });
  throw new NotOffered(`no call for ${name}`);
}

async function stream(names, on) {
  const c = await this.spot.websocketStreams.connect();
  let handles;
  try {
    handles = names.map((n) => begin(c, n));
  } catch (e) {
    await c.disconnect();
    throw e;
  }
  for (const h of handles) h.on('message', on);
  return { stop: () => c.disconnect(), unsubscribe: async () => handles.forEach((h) => h.unsubscribe()) };
}

async function user(on) {
  const c = await this.connection();
  let r;
  if (this.kind === 'ED25519') {
    await c.sessionLogon();
    r = await c.userDataStreamSubscribe();
  } else {
    r = await c.userDataStreamSubscribeSignature();
  }
  // The handle's events are those of the socket; a case's listener must not outlive it.
  let live = true;
  r.stream.on('message', (e) => live && on(e));
  let ended = false;
  const unsubscribe = async () => { ended = true; await c.userDataStreamUnsubscribe(); };
  return { unsubscribe, stop: async () => { if (!ended) await unsubscribe(); live = false; } };
}
