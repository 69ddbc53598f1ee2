import type { OpenDataFlow } from '../support/data-flows.js';
import { Relay } from '../support/relay.js';

export const openDataFlow: OpenDataFlow = async (_, app) => {
  // The embedded database is asked by a socket of this machine's files.
  if (app.database.url === undefined) return undefined;
  const { relay, url } = await Relay.to(app.database.url);
  return {
    variable: 'DATABASE_URL',
    port: Number(new URL(url).port),
    env: { DATABASE_URL: url },
    // Samples have no sealed field.
    mayHave: ['note'],
    use: ({ live }) => live(),
    close: async () => relay.close(),
  };
};
