// The bench on which order cases work: a quiet venue, where a price is what a case makes it, two accounts that trade on
// demand, and an account of its own for each transport, so that neither uses up the other's order count.
import assert from 'node:assert/strict';
import { add } from '../lib/cases.mjs';
import { fixed, times } from '../lib/venue.mjs';

export const symbol = 'BTCUSDT';

let made = 0;
let prefix = '';

// id is a client order id that no other order has, beginning as the client under test wants it.
export const id = (what) => `${prefix}-${what}-${++made}`.slice(0, 36);

export const limit = (side, quantity, price, more = {}) => ({ symbol, side, type: 'LIMIT', timeInForce: 'GTC', quantity, price, newOrderRespType: 'FULL', ...more });

// each adds a case for REST and for the WS API. It starts and ends without open orders of anybody.
export function each(group, name, run) {
  for (const transport of ['REST', 'WS API']) {
    add(`${group}, ${transport}`, name, 'quiet', async (w) => {
      const rest = transport === 'REST';
      const s = rest ? w.s : w.t;
      const d = { ...w, account: rest ? 'main' : 'wsapi', session: s, call: (op) => (rest ? s.rest(op) : s.ws(op)) };
      d.place = (p) => d.call('order.place')(p);
      d.status = (p) => w.v.by(d.account, 'GET', 'order', { symbol, ...p }); // the venue's own word on an order
      prefix = w.client.idPrefix?.[transport] ?? 'c';
      await clear(w.v);
      await run(d);
      await clear(w.v);
    });
  }
}

export async function clear(v) {
  for (const account of ['main', 'wsapi', 'second', 'third']) {
    const open = await v.sim('orders', { account });
    for (const sym of new Set(open.map((o) => o.symbol))) await v.by(account, 'DELETE', 'openOrders', { symbol: sym });
  }
}

// book is the whole book as text: "61000 x 0.01" best first.
export async function book(v) {
  const b = await v.sim('book', { symbol });
  const side = (l) => l.map(([p, q]) => `${Number(p)} x ${Number(q)}`);
  return { bids: side(b.bids), asks: side(b.asks) };
}

export const rate = 100000n; // 10 bps at 1e-8, charged in what is received

// traded says what fills make of balances: { asset: change of free + locked }. A fill has price, qty, commission and
// commissionAsset; the commission must be that of the account.
export function traded(side, fills, base = 'BTC', quote = 'USDT') {
  const out = { [base]: 0n, [quote]: 0n };
  for (const f of fills) {
    const qty = fixed(f.qty);
    const money = times(fixed(f.price), qty);
    const got = side === 'BUY' ? qty : money;
    assert.equal(f.commissionAsset, side === 'BUY' ? base : quote);
    const fee = fixed(f.commission);
    assert.ok(fee >= times(got, rate) && fee <= times(got, rate) + 1n, `commission ${f.commission} of ${got}`);
    out[base] += side === 'BUY' ? qty - fee : -qty;
    out[quote] += side === 'BUY' ? -money : money - fee;
  }
  return out;
}

// moved holds balances before and after against changes, locked and free together.
export function moved(before, after, changes) {
  for (const asset of Object.keys(before)) {
    const sum = (b) => b[asset].free + b[asset].locked;
    assert.equal(sum(after) - sum(before), changes[asset] ?? 0n, `change of ${asset}`);
  }
}

// only is the one open order of the account, as the venue has it.
export async function only(d) {
  const open = await d.v.sim('orders', { account: d.account });
  assert.equal(open.length, 1, `got open orders ${JSON.stringify(open)}`);
  return open[0];
}
