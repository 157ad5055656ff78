// The two venues of one client and its sessions on them: what a case is given.
import { all } from './cases.mjs';
import { startVenue } from './venue.mjs';

// openWorld starts a venue with a market and one without, and logs the client on to both.
export async function openWorld(client) {
  const venues = { market: await startVenue(), quiet: await startVenue({ quiet: true }) };
  const sessions = { market: await client.open(venues.market), quiet: await client.open(venues.quiet) };
  const wsapi = await client.open(venues.quiet, { account: 'wsapi' });
  const extra = [];
  return {
    // of is the world of one case. open logs the client on once more, until the end.
    of: (c) => ({
      client, v: venues[c.venue], s: sessions[c.venue], t: wsapi,
      open: async (options) => {
        const s = await client.open(venues[c.venue], options);
        extra.push(s);
        return s;
      },
    }),
    // warm waits until the market has traded enough for every case to find something.
    warm: async () => {
      for (;;) {
        const [t] = await venues.market.market('trades', { symbol: 'BTCUSDT', limit: 1 });
        const [old] = await venues.market.market('historicalTrades', { symbol: 'BTCUSDT', fromId: 1, limit: 1 });
        if (t?.id > 250 && Date.now() - old.time > 4000) return;
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    close: async () => {
      for (const s of [...extra, ...Object.values(sessions), wsapi]) await s.close();
      for (const v of Object.values(venues)) await v.stop();
    },
  };
}

// order is the cases as they are run: those on the quiet venue first, while the other one's market comes to life.
export const order = () => [...all()].sort((a, b) => (a.venue === b.venue ? 0 : a.venue === 'quiet' ? -1 : 1));
