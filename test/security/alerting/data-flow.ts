import { expect, vi } from 'vitest';
import { TlsServer } from '../../egress/servers.js';
import type { OpenDataFlow } from '../../support/data-flows.js';
import { operator, raise, secrets } from './alerting.js';

export const openDataFlow: OpenDataFlow = async (authority) => {
  const receiver = await TlsServer.start(authority);
  const host = `localhost:${receiver.port}`;
  const arrived = (rule: string) => expect(receiver.requests.some(({ body }) => body.includes(rule))).toBe(true);
  return {
    variable: 'ALERT_WEBHOOK_URL',
    port: receiver.port,
    env: {
      ALERT_EMAIL: operator,
      ALERT_WEBHOOK_URL: `https://${host}/hooks/alerts`,
      ALERT_WEBHOOK_SECRET: secrets.join(','),
      EGRESS_ALLOW_PRIVATE_HOSTS: host,
    },
    async use({ app, person }) {
      raise(app, { rule: 'data_flow', key: person.email, isPersonal: true });
      await vi.waitFor(() => arrived('data_flow'), 15_000);
      const guess = { email: person.email, password: 'a guess that is wrong' };
      for (let count = 0; count < 8; count++) await app.request('POST', '/v1/auth/login', { body: guess });
      // With: detection.
      await vi.waitFor(() => arrived('account_failures'), 15_000);
    },
    close: () => receiver.close(),
  };
};
