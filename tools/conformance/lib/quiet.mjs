// A reporter of node's test runner that tells only what failed; the table tells the rest.
export default async function* quiet(source) {
  for await (const e of source) {
    if (e.type !== 'test:fail' || e.data.details?.error?.failureType === 'subtestsFailed') continue;
    const error = e.data.details?.error;
    yield `failed: ${e.data.name}\n  ${String(error?.cause?.message ?? error?.message ?? error).split('\n').slice(0, 25).join('\n  ')}\n`;
  }
}
