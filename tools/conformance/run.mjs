// make conformance: real clients against riposte venue, and one table of what came out of it.
//
//   node tools/conformance/run.mjs      needs bin/riposte, Go, and npm ci in this folder
//
// Every client has a process and two venues of its own: one with a market, one without, where a price is what a case
// makes it. The cases (suite/) are the same for all; an adapter (clients/) gives each client's calls the venue's names.
// What a client parsed is held against the venue's own pages (/sim/), which it has not seen. No process may leave
// loopback: lib/guard.mjs and gobinance/guard.go refuse and count, and a case that tried has failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('.', import.meta.url).pathname;
const root = join(here, '../..');
const clients = ['ccxt', 'spot', 'tiagosiebler', 'gobinance'];

function need(ok, text) {
  if (ok) return;
  console.error(`cannot run the conformance cases: ${text}`);
  process.exit(1);
}

need(Number(process.versions.node.split('.')[0]) >= 20, `got node ${process.version}, want 20 or later`);
need(existsSync(join(root, 'bin/riposte')), 'bin/riposte is missing: make build');
need(existsSync(join(here, 'node_modules/ccxt')), 'the clients are missing: npm ci in tools/conformance');

const go = (...args) => spawnSync('go', args, { cwd: here, stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' } }).status;
const driver = join(root, 'bin/gobinance');
need(go('build', '-ldflags=-checklinkname=0', '-o', driver, './gobinance') === 0, 'gobinance does not build');
need(go('test', '-ldflags=-checklinkname=0', './gobinance') === 0, 'the guard of gobinance does not hold');

const results = mkdtempSync(join(tmpdir(), 'riposte-conformance-'));
const tests = ['guard', ...clients].map((c) => join(here, `test/${c}.test.mjs`));
const verbose = process.argv.includes('--verbose');
const run = spawnSync(process.execPath, ['--test', '--test-concurrency=5', `--test-reporter=${verbose ? 'spec' : join(here, 'lib/quiet.mjs')}`, '--test-reporter-destination=stdout', ...tests], {
  stdio: 'inherit',
  env: { ...process.env, NODE_OPTIONS: `--import=${join(here, 'lib/guard.mjs')} --no-deprecation`, RIPOSTE: join(root, 'bin/riposte'), GOBINANCE: driver, RESULTS: results, LOG_LEVEL: '' },
});

// The table: one row a case, in the order in which the first client that has it ran them.
const columns = clients.map((c) => {
  const file = join(results, `${c}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { name: c, version: '?', outcomes: [] };
});
rmSync(results, { recursive: true });
const rows = new Map();
for (const c of columns) for (const o of c.outcomes) rows.set(`${o.group} | ${o.name}`, { group: o.group, name: o.name });
const cell = (c, key) => c.outcomes.find((o) => `${o.group} | ${o.name}` === key)?.outcome ?? 'not offered';
const mark = { pass: 'pass', 'not offered': '-', client: "client's", fail: 'FAIL' };
const counts = { pass: 0, 'not offered': 0, client: 0, fail: 0 };
const per = columns.map(() => ({ ...counts }));
for (const key of rows.keys()) columns.forEach((c, i) => { per[i][cell(c, key)]++; counts[cell(c, key)]++; });

const groups = [...new Set([...rows.values()].map((r) => r.group))].sort();
const lines = ['# Conformance: real clients against `riposte venue`', '', 'Written by `make conformance`. `-`: the client has no such call. `client\'s`: the client is out of date or wrong by the',
  "venue's rules, and failed in exactly the way expected; why is said below the table.", ''];
lines.push(`| case | ${columns.map((c) => `${c.name} ${c.version}`).join(' | ')} |`, `|---|${columns.map(() => '---').join('|')}|`);
for (const g of groups) {
  lines.push(`| **${g}** |${columns.map(() => ' ').join('|')}|`);
  for (const [key, r] of rows) if (r.group === g) lines.push(`| ${r.name.replaceAll('|', '\\|')} | ${columns.map((c) => mark[cell(c, key)]).join(' | ')} |`);
}
lines.push(`| **pass / client's / - / fail** | ${per.map((p) => `${p.pass} / ${p.client} / ${p['not offered']} / ${p.fail}`).join(' | ')} |`, '');
const excuses = columns.flatMap((c) => c.outcomes.filter((o) => o.outcome === 'client').map((o) => `- ${c.name}, ${o.group}, ${o.name}: ${o.note}.`));
if (excuses.length) lines.push("The client's own:", '', ...excuses, '');
writeFileSync(join(here, 'TABLE.md'), lines.join('\n'));

const width = Math.max(...[...rows.values()].map((r) => r.name.length)) + 2;
console.log(['', ...columns.map((c) => c.name)].map((t, i) => t.padEnd(i ? 24 : width)).join(''));
for (const g of groups) {
  console.log(g);
  for (const [key, r] of rows) if (r.group === g) console.log(['  ' + r.name, ...columns.map((c) => mark[cell(c, key)])].map((t, i) => t.padEnd(i ? 24 : width)).join('').trimEnd());
}
for (const c of columns) if (c.outcomes.length === 0) counts.fail++; // it did not get as far as a case
console.log(`\n${rows.size} cases, ${columns.length} clients: ${counts.client} expected failures of the clients', ${counts['not offered']} not offered`);
console.log(`${counts.pass + counts.client} passed, ${counts.fail} failed`);
process.exit(counts.fail > 0 || run.status !== 0 ? 1 : 0);
