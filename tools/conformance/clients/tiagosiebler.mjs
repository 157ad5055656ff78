// binance by tiagosiebler.
import { MainClient, WebsocketAPIClient, WebsocketClient } from 'binance';
import { NotOffered } from '../lib/cases.mjs';
import { Session } from './session.mjs';

export const name = 'binance (tiagosiebler)';
export const version = '3.6.5';
export const blocked = () => 0;

const restNames = {
  ping: 'testConnectivity', exchangeInfo: 'getExchangeInfo', executionRules: 'getExecutionRules', referencePrice: 'getReferencePrice',
  'referencePrice.calculation': 'getReferencePriceCalculation', depth: 'getOrderBook', 'trades.recent': 'getRecentTrades', 'trades.historical': 'getHistoricalTrades',
  'blockTrades.historical': 'getHistoricalBlockTrades', 'trades.aggregate': 'getAggregateTrades', klines: 'getKlines', uiKlines: 'getUIKlines', avgPrice: 'getAvgPrice',
  'ticker.24hr': 'get24hrChangeStatistics', 'ticker.tradingDay': 'getTradingDayTicker', ticker: 'getRollingWindowTicker', 'ticker.price': 'getSymbolPriceTicker',
  'ticker.book': 'getSymbolOrderBookTicker', 'order.place': 'submitNewOrder', 'order.test': 'testNewOrder', 'order.cancel': 'cancelOrder',
  'openOrders.cancelAll': 'cancelAllSymbolOrders', 'order.cancelReplace': 'replaceOrder', 'order.amend.keepPriority': 'amendOrderKeepPriority',
  'orderList.place': 'submitNewOCO', 'orderList.place.oco': 'submitNewOrderList', 'orderList.place.oto': 'submitNewOrderListOTO',
  'orderList.place.otoco': 'submitNewOrderListOTOCO', 'orderList.place.opo': 'submitNewOrderListOPO', 'orderList.place.opoco': 'submitNewOrderListOPOCO',
  'orderList.cancel': 'cancelOCO', 'sor.order.place': 'submitNewSOROrder', 'sor.order.test': 'testNewSOROrder', 'order.status': 'getOrder',
  'openOrders.status': 'getOpenOrders', allOrders: 'getAllOrders', 'orderList.status': 'getOCO', allOrderLists: 'getAllOCO', 'openOrderLists.status': 'getAllOpenOCO',
  myAllocations: 'getAllocations', myTrades: 'getAccountTradeList', 'account.status': 'getAccountInformation', 'account.commission': 'getCommissionRates',
  'account.rateLimits.orders': 'getOrderRateLimit', myPreventedMatches: 'getPreventedMatches',
  'userDataStream.start': 'getSpotUserDataListenKey', 'userDataStream.ping': 'keepAliveSpotUserDataListenKey', 'userDataStream.stop': 'closeSpotUserDataListenKey',
};

const publicNames = {
  ping: 'testSpotConnectivity', time: 'getSpotServerTime', exchangeInfo: 'getSpotExchangeInfo', executionRules: 'getSpotExecutionRules', referencePrice: 'getSpotReferencePrice',
  'referencePrice.calculation': 'getSpotReferencePriceCalculation', depth: 'getSpotOrderBook', 'trades.recent': 'getSpotRecentTrades', 'trades.historical': 'getSpotHistoricalTrades',
  'blockTrades.historical': 'getSpotHistoricalBlockTrades', 'trades.aggregate': 'getSpotAggregateTrades', klines: 'getSpotKlines', uiKlines: 'getSpotUIKlines', avgPrice: 'getSpotAveragePrice',
  'ticker.24hr': 'getSpot24hrTicker', 'ticker.tradingDay': 'getSpotTradingDayTicker', ticker: 'getSpotTicker', 'ticker.price': 'getSpotSymbolPriceTicker', 'ticker.book': 'getSpotSymbolOrderBookTicker',
};

const signedNames = {
  'order.place': 'submitNewSpotOrder', 'order.test': 'testSpotOrder', 'order.cancel': 'cancelSpotOrder', 'openOrders.cancelAll': 'cancelAllSpotOpenOrders',
  'order.cancelReplace': 'cancelReplaceSpotOrder', 'order.amend.keepPriority': 'amendSpotOrderKeepPriority', 'orderList.place': 'placeSpotOrderList',
  'orderList.place.oco': 'placeSpotOCOOrderList', 'orderList.place.oto': 'placeSpotOTOOrderList', 'orderList.place.otoco': 'placeSpotOTOCOOrderList',
  'orderList.place.opo': 'placeSpotOPOOrderList', 'orderList.place.opoco': 'placeSpotOPOCOOrderList', 'orderList.cancel': 'cancelSpotOrderList',
  'sor.order.place': 'placeSpotSOROrder', 'sor.order.test': 'testSpotSOROrder', 'order.status': 'getSpotOrderStatus', 'openOrders.status': 'getSpotOpenOrders',
  allOrders: 'getSpotAllOrders', 'orderList.status': 'getSpotOrderListStatus', allOrderLists: 'getSpotAllOrderLists', 'openOrderLists.status': 'getSpotOpenOrderLists',
  myAllocations: 'getSpotAllocations', myTrades: 'getSpotMyTrades', 'account.status': 'getSpotAccountInformation', 'account.commission': 'getSpotAccountCommission',
  'account.rateLimits.orders': 'getSpotOrderRateLimits', myPreventedMatches: 'getSpotPreventedMatches',
  'userDataStream.start': 'startUserDataStreamForKey', 'userDataStream.ping': 'pingUserDataStreamForKey', 'userDataStream.stop': 'stopUserDataStreamForKey',
};

export function errorOf(e) {
  if (e?.error?.code !== undefined) return { code: e.error.code, msg: e.error.msg };
  return { code: e?.code, msg: e?.message };
}

// What the client gets wrong by the venue's rules, and what its failure then looks like.
export const faults = {
  'orders, REST | amend keeps the place in the queue': {
    why: 'asks the futures path /fapi/v1/order/amend/keepPriority for the spot call',
    is: (e) => e?.body === '' && e.requestUrl.includes('/fapi/v1/order/amend/keepPriority?'),
  },
};

// idPrefix is what the client asks every order id to begin with.
export const idPrefix = { REST: 'x-U5D79M5B', 'WS API': 'x-QJ6WSMZX' };

export const resubscribes = true;
export const weight = (s) => s.client.getRateLimitStates()['x-mbx-used-weight-1m'];
export const orders = (s) => s.client.getRateLimitStates()['x-mbx-order-count-1d'];
export const logon = (s) => s.ws('session.status')({});

const silent = { trace() {}, info() {}, error() {} };

export async function open(v, { account = 'main', kind = 'HMAC', key } = {}) {
  const k = key ?? v.keys[account][kind];
  const auth = { api_key: k.apiKey, api_secret: k.secret ?? k.privateKey };
  const client = new MainClient({ ...auth, baseUrl: v.rest, disableTimeSync: true }, { timeout: 10000 });
  const full = (p) => Object.fromEntries(Object.entries(p).filter(([, x]) => x !== undefined));
  const rest = { time: () => client.get('api/v3/time') }; // getServerTime has its own idea of the host
  for (const [op, fn] of Object.entries(restNames)) rest[op] = (p) => client[fn](full(p));
    const api = new WebsocketAPIClient({ ...auth, wsUrl: v.stream, reconnectTimeout: 100, attachEventListeners: false }, silent);
  const ws = { 'session.status': async () => (await api.getSpotSessionStatus()).result };
  for (const [op, fn] of Object.entries(publicNames)) ws[op] = async (p) => (await (op === 'ping' || op === 'time' ? api[fn]() : api[fn](full(p)))).result;
  for (const [op, fn] of Object.entries(signedNames)) ws[op] = async (p) => (await api[fn]({ ...full(p), timestamp: Date.now() })).result;
  const s = new Session(rest, ws);
  Object.assign(s, { v, client, api, auth, stream, user });
  s.close = () => api.disconnectAll();
  return s;
}

// begin subscribes one stream by the client's own call for its kind, or by its topic where there is none.
function begin(ws, name) {
  if (name === '!miniTicker@arr') return ws.subscribeSpotAllMini24hrTickers();
  if (name === '!ticker_1h@arr') return ws.subscribeAllRollingWindowTickers('spot', '1h');
  if (name === '!ticker@arr') return ws.subscribeSpotAll24hrTickers();
  if (name === '!bookTicker') throw new NotOffered('no call for it on the spot market');
  const [symbol, what, speed] = name.split('@');
  const ms = speed ? Number.parseInt(speed, 10) : 1000;
  let m;
  switch (what) {
    case 'trade': return ws.subscribeSpotTrades(symbol);
    case 'aggTrade': return ws.subscribeSpotAggregateTrades(symbol);
    case 'bookTicker': return ws.subscribeSpotSymbolBookTicker(symbol);
    case 'miniTicker': return ws.subscribeSpotSymbolMini24hrTicker(symbol);
    case 'ticker': return ws.subscribeSpotSymbol24hrTicker(symbol);
    case 'blockTrade': return ws.subscribeSpotBlockTrades(symbol);
    case 'depth': return ws.subscribeSpotDiffBookDepth(symbol, ms);
    default:
  }
  if ((m = /^depth(\d+)$/.exec(what))) return ws.subscribeSpotPartialBookDepth(symbol, Number(m[1]), ms);
  if ((m = /^kline_(\w+)$/.exec(what)) && !speed) return ws.subscribeSpotKline(symbol, m[1]);
  return ws.subscribe([name], 'main');
}

async function stream(names, on, failed) {
  const ws = new WebsocketClient({ wsUrl: this.v.stream, reconnectTimeout: 100 }, silent);
  ws.on('message', (m) => {
    const e = m.data ?? m;
    if (Array.isArray(e) || e.e !== undefined || e.u !== undefined || e.lastUpdateId !== undefined) on(e);
  });
  ws.on('exception', failed);
  try {
    for (const n of names) await begin(ws, n);
  } catch (e) {
    ws.closeAll(true);
    throw e;
  }
  return { stop: async () => ws.closeAll(true), unsubscribe: () => ws.unsubscribe(names, 'main') };
}

async function user(on) {
  const api = new WebsocketAPIClient({ ...this.auth, wsUrl: this.v.stream, reconnectTimeout: 100, attachEventListeners: false, resubscribeUserDataStreamDelaySeconds: 0.1 }, silent);
  api.getWSClient().on('message', (m) => {
    const e = m.event ?? m.data ?? m;
    if (e.e) on(e);
  });
  await api.subscribeUserDataStream('mainWSAPI');
  return { unsubscribe: () => api.unsubscribeUserDataStream('mainWSAPI'), stop: () => api.disconnectAll() };
}
