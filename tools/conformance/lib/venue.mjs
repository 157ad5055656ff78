// A riposte venue in a process of its own, and what it says of itself: the truth that clients are compared with.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const binary = process.env.RIPOSTE ?? new URL('../../../bin/riposte', import.meta.url).pathname;

// startVenue serves the two symbols to four accounts with a key of every kind each. A quiet venue has no market.
export async function startVenue({ quiet = false, seed = 11 } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'riposte-conformance-'));
  const keyFile = join(dir, 'keys.json');
  const args = ['venue', '--listen', '127.0.0.1:0', '--seed', String(seed), '--symbols', 'BTCUSDT,ETHUSDT', '--accounts', 'main,wsapi,second,third', '--keys', keyFile];
  if (quiet) args.push('--quiet');
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (b) => (complaint += b));
  const gone = new Promise((done) => child.on('exit', done));
  const line = await Promise.race([
    new Promise((done) => createInterface({ input: child.stdout }).once('line', done)),
    gone.then((rc) => { throw new Error(`cannot start the venue: it ended with ${rc}: ${complaint}`); }),
  ]);
  const at = JSON.parse(line);
  const keys = {};
  for (const k of JSON.parse(readFileSync(keyFile, 'utf8'))) (keys[k.account] ??= {})[k.kind] = k;
  const v = new Venue(at, keys);
  v.stop = async () => {
    child.kill('SIGTERM');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  };
  return v;
}

class Venue {
  constructor(at, keys) {
    Object.assign(this, { rest: at.rest, stream: at.stream, wsAPI: at.ws_api, admin: at.admin, keys });
    this.hostPort = new URL(at.rest).host;
  }

  // sim asks one of the venue's own pages: book, balances, orders, trades, ledger, stats. Times in it are microseconds.
  async sim(page, params = {}) {
    const r = await fetch(`${this.admin}/${page}?${new URLSearchParams(params)}`);
    if (r.status !== 200) throw new Error(`/sim/${page}: ${await r.text()}`);
    return r.json();
  }

  async tell(page, params = {}, body) {
    const r = await fetch(`${this.admin}/${page}?${new URLSearchParams(params)}`, { method: 'POST', body });
    if (r.status !== 200) throw new Error(`/sim/${page}: ${await r.text()}`);
  }

  fault(line) { return this.tell('fault', {}, line); }

  // market is a public REST answer without any client in between.
  async market(path, params = {}) {
    const r = await fetch(`${this.rest}/api/v3/${path}?${new URLSearchParams(params)}`);
    return r.json();
  }

  // by sends a signed request for one of the venue's accounts: the other side of a client's trades.
  async by(account, method, path, params = {}) {
    const k = this.keys[account].HMAC;
    const text = new URLSearchParams({ ...params, timestamp: Date.now() }).toString();
    const signature = createHmac('sha256', k.secret).update(text).digest('hex');
    const r = await fetch(`${this.rest}/api/v3/${path}?${text}&signature=${signature}`, { method, headers: { 'X-MBX-APIKEY': k.apiKey } });
    const body = await r.json();
    if (r.status !== 200) throw new Error(`${method} ${path} of ${account}: ${JSON.stringify(body)}`);
    return body;
  }

  // limit places a GTC order of another account.
  limit(account, side, quantity, price, symbol = 'BTCUSDT') {
    return this.by(account, 'POST', 'order', { symbol, side, type: 'LIMIT', timeInForce: 'GTC', quantity, price, newOrderRespType: 'FULL' });
  }

  // print makes a trade at price between two accounts that are not under test.
  async print(price, symbol = 'BTCUSDT') {
    await this.limit('third', 'SELL', '0.001', price, symbol);
    return this.limit('second', 'BUY', '0.001', price, symbol);
  }

  async balances(account) {
    const out = {};
    for (const b of await this.sim('balances', { account })) out[b.asset] = { free: fixed(b.free), locked: fixed(b.locked) };
    return out;
  }
}

// fixed reads a decimal as a whole number of 1e-8.
export function fixed(text) {
  const m = /^(-?)(\d+)(?:\.(\d{1,8})0*)?$/.exec(String(text));
  if (!m) throw new Error(`cannot read a decimal: got ${text}`);
  const v = BigInt(m[2]) * 100000000n + BigInt((m[3] ?? '').padEnd(8, '0'));
  return m[1] ? -v : v;
}

// times multiplies two decimals of 1e-8, rounding down.
export const times = (a, b) => (a * b) / 100000000n;
