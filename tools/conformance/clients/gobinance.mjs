// go-binance, in a process of its own (../gobinance) that takes requests as lines of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { NotOffered } from '../lib/cases.mjs';
import { Session } from './session.mjs';

export const name = 'go-binance';
export const version = '2.8.7';

const services = {
  ping: 'NewPingService', time: 'NewServerTimeService', exchangeInfo: 'NewExchangeInfoService', depth: 'NewDepthService', 'trades.recent': 'NewRecentTradesService',
  'trades.historical': 'NewHistoricalTradesService', 'trades.aggregate': 'NewAggTradesService', klines: 'NewKlinesService', uiKlines: 'NewUiKlinesService', avgPrice: 'NewAveragePriceService',
  'ticker.24hr': 'NewListPriceChangeStatsService', 'ticker.tradingDay': 'NewTradingDayTickerService', ticker: 'NewListSymbolTickerService', 'ticker.price': 'NewListPricesService',
  'ticker.book': 'NewListBookTickersService', 'order.place': 'NewCreateOrderService', 'order.test': 'NewCreateOrderService:Test', 'order.cancel': 'NewCancelOrderService',
  'openOrders.cancelAll': 'NewCancelOpenOrdersService', 'order.cancelReplace': 'NewCancelReplaceOrderService', 'orderList.place': 'NewCreateOCOService', 'orderList.cancel': 'NewCancelOCOService',
  'order.status': 'NewGetOrderService', 'openOrders.status': 'NewListOpenOrdersService', allOrders: 'NewListOrdersService', 'openOrderLists.status': 'NewListOpenOcoService',
  myTrades: 'NewListTradesService', 'account.status': 'NewGetAccountService', 'account.commission': 'NewGetCommissionRatesService', 'account.rateLimits.orders': 'NewRateLimitService',
  'userDataStream.start': 'NewStartUserStreamService', 'userDataStream.ping': 'NewKeepaliveUserStreamService', 'userDataStream.stop': 'NewCloseUserStreamService',
};

const wsMethods = ['order.place', 'orderList.place.oco', 'orderList.place', 'orderList.place.oto', 'orderList.place.otoco', 'orderList.cancel', 'sor.order.place', 'sor.order.test'];

// back gives an answer of the client's own structs the venue's shape.
const level = (l) => [l.Price, l.Quantity];
const bar = (k) => [k.openTime, k.open, k.high, k.low, k.close, k.volume, k.closeTime, k.quoteAssetVolume, k.tradeNum, k.takerBuyBaseAssetVolume, k.takerBuyQuoteAssetVolume, '0'];
const uiBar = (k) => [k.OpenTime, k.Open, k.High, k.Low, k.Close, k.Volume, k.CloseTime, k.QuoteVolume, k.TradeNum, k.TakerBuyBaseAssetVolume, k.TakerBuyQuoteAssetVolume, '0'];
const one = (p, list) => (p.symbol !== undefined && Array.isArray(list) && list.length === 1 ? list[0] : list);
const back = {
  depth: (r) => ({ ...r, bids: r.bids.map(level), asks: r.asks.map(level) }),
  klines: (r) => r.map(bar),
  uiKlines: (r) => r.map(uiBar),
  'openOrders.cancelAll': (r) => [...(r.Orders ?? []), ...(r.OCOOrders ?? [])],
};
for (const op of ['ticker.24hr', 'ticker.tradingDay', 'ticker', 'ticker.price', 'ticker.book']) back[op] = (r, p) => one(p, r);

// What the client gets wrong by the venue's rules, and what its failure then looks like.
export const faults = {
  'market data, REST | trades.recent': {
    why: 'asks /api/v1/trades; /api/v1 was retired on 2026-03-25',
    is: (e) => e?.code === 0 && e.body === '',
  },
  'user data | a list': {
    why: 'knows the event as ListStatus; the venue sends listStatus, of which nothing is parsed',
    is: (e) => e?.code === 'ERR_ASSERTION' && e.actual === 0 && e.message.startsWith('list id'),
  },
};

export function errorOf(e) { return { code: e?.code ?? undefined, msg: e?.msg ?? e?.message }; }

// Every process counts what it refused; the count is read after each case.
const drivers = new Set();
let refused = 0;
export const blocked = () => refused;
export async function settle() {
  let sum = 0;
  for (const d of drivers) sum += await d.ask({ do: 'blocked' });
  refused = Math.max(refused, sum);
}

class Driver {
  constructor() {
    this.child = spawn(process.env.GOBINANCE, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = new Map();
    this.streams = new Map();
    this.last = 0;
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const m = JSON.parse(line);
      if (m.stream !== undefined) return this.streams.get(m.stream)?.(m);
      const { done, fail } = this.waiting.get(m.id);
      this.waiting.delete(m.id);
      return m.error ? fail(m.error) : done(m.result);
    });
    this.gone = new Promise((done) => this.child.on('exit', done));
    drivers.add(this);
  }

  ask(r, onEvent) {
    const id = ++this.last;
    if (onEvent) this.streams.set(id, onEvent);
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail });
      this.child.stdin.write(`${JSON.stringify({ id, ...r })}\n`);
    });
  }
}

// One process for each venue: go-binance has one address for all its sockets.
const byVenue = new Map();

export async function open(v, { account = 'main', kind = 'HMAC', key, skew = 0 } = {}) {
  if (!byVenue.has(v)) byVenue.set(v, new Driver());
  const d = byVenue.get(v);
  const k = key ?? v.keys[account][kind];
  const session = await d.ask({ do: 'open', rest: v.rest, streams: v.stream, ws_api: v.wsAPI, key: k.apiKey, secret: k.secret ?? k.privateKey, kind: { HMAC: 'HMAC', ED25519: 'ED25519', RSA: 'RSA' }[kind], skew });
  const offered = async (what, run) => {
    try {
      return await run();
    } catch (e) {
      if (/no setter/.test(e?.msg)) throw new NotOffered(e.msg);
      throw e;
    }
  };
  const rest = {};
  for (const [op, name2] of Object.entries(services)) {
    rest[op] = (p) => offered(op, async () => {
      const r = await d.ask({ do: 'call', session, name: name2, params: p });
      return back[op] ? back[op](r ?? [], p) : r;
    });
  }
  const ws = {};
  for (const op of wsMethods) ws[op] = (p) => offered(op, () => d.ask({ do: 'ws', session, name: op, params: p }));
  const s = new Session(rest, ws);
  Object.assign(s, { d, session, stream, user });
  s.close = async () => {
    if (!drivers.delete(d)) return;
    d.child.stdin.end();
    await d.gone;
  };
  return s;
}

export const skewed = true;
export const gone = (e) => e?.code === 0 && e.body === ''; // 404 without a body
export const weight = async (s) => (await s.d.ask({ do: 'usage', session: s.session })).weight;
export const orders = async (s) => (await s.d.ask({ do: 'usage', session: s.session })).orders;

export const reconnects = false; // a stream that breaks tells its error handler and ends

const upper = (n) => n.split('@')[0].toUpperCase();

// serving gives the stream function of the client, its arguments, and what its events are in the venue's words.
function serving(names) {
  const name = names[0];
  const levels = (e) => ({ ...e, b: e.b.map(level), a: e.a.map(level) });
  const same = (e) => e;
  if (names.length > 1) return ['WsCombinedAggTradeServe', [names.map(upper)], (e) => e.data ?? e];
  if (name === '!miniTicker@arr') return ['WsAllMiniMarketsStatServe', [], same];
  if (name === '!ticker@arr') return ['WsAllMarketsStatServe', [], same];
  if (name === '!bookTicker') return ['WsAllBookTickerServe', [], same];
  const [, what, speed] = name.split('@');
  const s = upper(name);
  let m;
  switch (what) {
    case 'trade': return ['WsTradeServe', [s], same];
    case 'aggTrade': return ['WsAggTradeServe', [s], same];
    case 'bookTicker': return ['WsBookTickerServe', [s], same];
    case 'ticker': return ['WsMarketStatServe', [s], same];
    case 'depth': return [speed ? 'WsDepthServe100Ms' : 'WsDepthServe', [s], levels];
    default:
  }
  if ((m = /^depth(\d+)$/.exec(what))) return [speed ? 'WsPartialDepthServe100Ms' : 'WsPartialDepthServe', [s, m[1]], (e) => ({ ...e, bids: e.bids.map(level), asks: e.asks.map(level) })];
  if ((m = /^kline_(\w+)$/.exec(what)) && !speed) return ['WsKlineServe', [s, m[1]], same];
  throw new NotOffered(`no function for ${names}`);
}

async function stream(names, on, failed) {
  const [serve, args, shape] = serving(names);
  const id = await this.d.ask({ do: 'stream', session: this.session, name: serve, args }, (m) => {
    if (m.event !== undefined) on(shape(m.event));
    else if (m.failed) failed(new Error(m.failed));
  });
  return { stop: () => this.d.ask({ do: 'stop', stream: id }) };
}

// flat is an event as the venue sent it: the client keeps each kind's fields apart.
function flat(e) {
  const part = { executionReport: e.OrderUpdate, outboundAccountPosition: e.AccountUpdate, balanceUpdate: e.BalanceUpdate, listStatus: e.OCOUpdate && { ...e.OCOUpdate, O: e.OCOUpdate.Orders?.O } }[e.e];
  return { e: e.e, E: e.E, ...part };
}

async function user(on) {
  const id = await this.d.ask({ do: 'user', session: this.session }, (m) => m.event && on(flat(m.event)));
  return { stop: () => this.d.ask({ do: 'stop', stream: id }) };
}
