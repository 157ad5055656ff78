// Cases and their outcomes. A case is one claim about one client; its outcome is pass, not offered (the client has no
// such call), client (the client is out of date by the venue's rules, and its failure was exactly the expected one), or
// fail.
import assert from 'node:assert/strict';
import { blocked } from './guard.mjs';

export class NotOffered extends Error {}

// ClientsFault ends a case whose expected failure has been asserted: why says what the client does wrong.
export class ClientsFault extends Error {}

const list = [];

// add makes a case known, in the order of the table. venue is which of the two venues it runs on. A case that does little
// but wait may run beside others of its kind (together).
export function add(group, name, venue, run, together = false) { list.push({ group, name, venue, run, together }); }

export const all = () => list;

// runCase runs one case against one client and returns { outcome, note }. A client may name cases that it can never meet
// (never: it changes what it is given before it sends), and cases that it fails in one exact way (faults).
export async function runCase(c, world, seconds = 30) {
  const key = `${c.group} | ${c.name}`;
  if (world.client.never?.[key]) return { outcome: 'not offered', note: world.client.never[key] };
  const known = world.client.faults?.[key];
  const before = blocked().length + world.client.blocked();
  let result;
  let timer;
  try {
    await Promise.race([
      c.run(world),
      new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`cannot finish within ${seconds} s`)), seconds * 1000); }),
    ]);
    result = known ? { outcome: 'fail', note: `passes, but is listed as the client's failure: ${known.why}` } : { outcome: 'pass' };
  } catch (e) {
    if (known) {
      // The client is known to be wrong here, in one exact way.
      if (known.is(e)) result = { outcome: 'client', note: known.why };
      else result = { outcome: 'fail', note: `want the client's own failure (${known.why}), got ${e?.stack ?? describe(e)}` };
    } else if (e instanceof NotOffered) result = { outcome: 'not offered', note: e.message };
    else if (e instanceof ClientsFault) result = { outcome: 'client', note: e.message };
    else result = { outcome: 'fail', note: e?.stack ?? describe(e) };
  } finally {
    clearTimeout(timer);
  }
  await world.client.settle?.();
  const now = blocked().length + world.client.blocked();
  if (now !== before) result = { outcome: 'fail', note: `${now - before} attempts to leave loopback: ${blocked().slice(-5).join('; ')}` };
  return result;
}

export function describe(e) {
  if (e instanceof Error) return e.message;
  try { return JSON.stringify(e); } catch { return String(e); }
}

// fails runs call and holds its error against code and, if given, text.
export async function fails(client, call, code, text) {
  let answer;
  try {
    answer = await call();
  } catch (e) {
    if (e instanceof NotOffered) throw e;
    const got = client.errorOf(e);
    assert.equal(got.code, code, `got error ${describe(e)}`);
    if (text !== undefined) {
      if (text instanceof RegExp) assert.match(got.msg, text);
      else assert.equal(got.msg, text);
    }
    return got;
  }
  assert.fail(`got ${JSON.stringify(answer)?.slice(0, 300)}, want error ${code}`);
}

// until calls probe until it gives something truthy.
export async function until(what, probe, seconds = 20) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (performance.now() > end) throw new Error(`cannot see ${what} within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

// has holds an object's fields against want: "name" present, "name:type" of that type.
export function has(o, fields, where = 'answer') {
  assert.ok(o && typeof o === 'object', `got ${where} ${JSON.stringify(o)}, want an object`);
  for (const f of fields.split(' ')) {
    const [name, type] = f.split(':');
    assert.ok(name in o, `${where} has no ${name}: ${JSON.stringify(o).slice(0, 400)}`);
    if (type) assert.equal(typeof o[name], type, `${where}.${name} is ${JSON.stringify(o[name])}`);
  }
}
