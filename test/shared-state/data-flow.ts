import type { OpenDataFlow } from '../support/data-flows.js';
import { profile } from '../support/profile.js';
import { Relay } from '../support/relay.js';

export const openDataFlow: OpenDataFlow = async () => {
  const chosen = profile();
  if (chosen.name === 'embedded') return undefined;
  const { relay, url } = await Relay.to(chosen.redisUrl);
  return {
    variable: 'REDIS_URL',
    port: Number(new URL(url).port),
    env: { REDIS_URL: url },
    use: ({ live }) => live(),
    close: async () => relay.close(),
  };
};
