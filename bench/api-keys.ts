// What authentication by API key costs, compared with the access token of a session.
import { compareCredentials, oneRow } from './compared.js';
import { scenarios } from './scenarios.js';

const wishes = { name: 'Benchmark', scopes: ['resource:read'], expiresInDays: 1 };

await compareCredentials({
  name: 'API key',
  scenarios: [oneRow, scenarios.list],
  credential: async (app) => {
    const parts = { token: await app.token(), body: wishes };
    return ((await app.client.expect(201, 'POST', '/v1/api-keys', parts)).body as { key: string }).key;
  },
});
