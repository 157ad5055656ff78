// All cases of one client, as tests of node's own runner; the outcomes go to a file for the table.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCase } from './cases.mjs';
import { openWorld, order } from './world.mjs';

function resolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

export async function conform(file, suites) {
  const client = await import(`../clients/${file}.mjs`);
  for (const s of suites) await import(`../suite/${s}.mjs`);
  const outcomes = [];
  let world;
  let warm = false;
  // Cases that may run together are begun by the first of them, six at a time.
  const begun = new Map();
  const beginTogether = () => {
    const waiting = order().filter((c) => c.together);
    const settle = new Map(waiting.map((c) => [c, resolvers()]));
    for (const [c, r] of settle) begun.set(c, r.promise);
    for (let i = 0; i < 6; i++) {
      (async () => {
        for (let c = waiting.shift(); c; c = waiting.shift()) settle.get(c).resolve(await runCase(c, world.of(c)));
      })();
    }
  };
  before(async () => { world = await openWorld(client); });
  after(async () => {
    await world?.close();
    if (process.env.RESULTS) writeFileSync(join(process.env.RESULTS, `${file}.json`), JSON.stringify({ name: client.name, version: client.version, outcomes }));
    setImmediate(() => process.exit()); // clients keep timers
  });
  for (const c of order()) {
    test(`${c.group}: ${c.name}`, async (t) => {
      if (c.venue === 'market' && !warm) {
        await world.warm();
        warm = true;
      }
      if (c.together && begun.size === 0) beginTogether();
      const r = await (c.together ? begun.get(c) : runCase(c, world.of(c)));
      outcomes.push({ group: c.group, name: c.name, ...r });
      if (r.outcome === 'fail') throw new Error(r.note);
      if (r.outcome === 'not offered') t.skip(r.note);
      if (r.outcome === 'client') t.diagnostic(`as expected, the client's: ${r.note}`);
    });
  }
}
