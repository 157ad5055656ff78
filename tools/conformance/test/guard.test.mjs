// The guard is tried on every way out, and a case is tried with a client that was left at its own address.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { after, test } from 'node:test';
import { Spot } from '@binance/spot';
import { MainClient } from 'binance';
import ccxt from 'ccxt';
import WebSocket from 'ws';
import * as gobinance from '../clients/gobinance.mjs';
import { fails, runCase } from '../lib/cases.mjs';
import { blocked, loopback } from '../lib/guard.mjs';

const failed = (emitter) => new Promise((done, fail) => emitter.on('error', fail).on('connect', done).on('open', done).on('response', done));
const { TCP, TCPConnectWrap, constants } = process.binding('tcp_wrap');

for (const [name, out] of Object.entries({
  'net to an address': () => failed(net.connect(443, '192.0.2.1')),
  'net to a name': () => failed(net.connect({ host: 'example.com', port: 443 })),
  tls: () => failed(tls.connect({ host: '192.0.2.1', port: 443 })),
  http: () => failed(http.get('http://example.com/')),
  https: () => failed(https.get('https://192.0.2.1/')),
  'fetch a name': () => fetch('https://example.com/'),
  'fetch an address': () => fetch('http://192.0.2.1/'),
  WebSocket: () => failed(new WebSocket('wss://example.com/ws')),
  'dns.lookup': () => new Promise((done, fail) => dns.lookup('example.com', (e, a) => (e ? fail(e) : done(a)))),
  'dns.promises.lookup': () => dns.promises.lookup('example.com'),
  'dns.resolve4': () => dns.promises.resolve4('example.com'),
  udp: () => new Promise((done, fail) => { try { dgram.createSocket('udp4').send('x', 53, '192.0.2.1', done); } catch (e) { fail(e); } }),
  'a handle under net.Socket': async () => { if (new TCP(constants.SOCKET).connect(new TCPConnectWrap(), '192.0.2.1', 443) !== 0) throw new Error('refused'); },
})) {
  test(`the guard refuses and counts: ${name}`, async () => {
    const n = blocked().length;
    await assert.rejects(async () => out());
    assert.ok(blocked().length > n, 'it was not counted');
  });
}

test('the guard lets loopback through', async () => {
  const s = http.createServer((q, r) => r.end('here'));
  await new Promise((done) => s.listen(0, '127.0.0.1', done));
  const n = blocked().length;
  for (const host of ['127.0.0.1', 'localhost', 'stream.localhost']) assert.equal(await (await fetch(`http://${host}:${s.address().port}/`)).text(), 'here');
  assert.equal(blocked().length, n);
  s.close();
  s.closeAllConnections();
  for (const host of ['10.0.0.1', '127.0.0.1.example.com', 'localhost.example.com', '::2', '0.0.0.0']) assert.equal(loopback(host), false, host);
});

// Even a case that takes the refusal for granted fails.
const plain = { blocked: () => 0, errorOf: (e) => ({ code: e?.code }) };
const driver = { drop: undefined };
after(() => driver.drop?.());
for (const [name, client, ask] of [
  ['ccxt', plain, () => new ccxt.binance({ enableRateLimit: false, maxRetriesOnFailure: 0 }).fetchTime()],
  ['@binance/spot', plain, () => new Spot({ configurationRestAPI: { apiKey: 'a', apiSecret: 'b', retries: 0 } }).restAPI.time()],
  ['binance (tiagosiebler)', plain, () => new MainClient({ disableTimeSync: true }).getServerTime()],
  ['go-binance', gobinance, async () => {
    const s = await gobinance.open({ keys: { main: { HMAC: { apiKey: 'a', secret: 'b' } } } });
    driver.drop = s.close;
    await s.rest('ping')({});
  }],
]) {
  test(`a case fails if ${name} is left at its own address`, async () => {
    const c = { group: 'guard', name, run: () => fails(client, ask, undefined).catch(() => {}) };
    const r = await runCase(c, { client });
    assert.equal(r.outcome, 'fail');
    assert.match(r.note, /^\d+ attempts to leave loopback/);
  });
}
