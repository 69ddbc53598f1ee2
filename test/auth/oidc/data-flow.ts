import { expect } from 'vitest';
import type { OpenDataFlow } from '../../support/data-flows.js';
import { anySubject, Browser, link } from './browser.js';
import { FakeProvider } from './fake-provider.js';

export const openDataFlow: OpenDataFlow = async (authority) => {
  const provider = await FakeProvider.start(authority);
  return {
    variable: 'OIDC_<NAME>_ISSUER',
    port: provider.server.port,
    env: {
      OIDC_FLOW_ISSUER: provider.issuer,
      OIDC_FLOW_CLIENT_ID: 'the-service',
      OIDC_FLOW_CLIENT_SECRET: 'not-a-secret',
      EGRESS_ALLOW_PRIVATE_HOSTS: provider.host,
    },
    async use({ app, person }) {
      provider.reset({ sub: anySubject() });
      const browser = new Browser(app);
      const led = await link(browser, 'flow', person.token, async (page) => {
        // What the browser is sent to the provider with.
        for (const value of [person.email, person.name, person.userId]) expect(page.href).not.toContain(value);
        return provider.visit(page);
      });
      expect(led.status).toBe(303);
      const page = await browser.start('flow');
      expect((await browser.callback('flow', provider.visit(page))).status).toBe(303);
      expect((await browser.finish()).status).toBe(200);
    },
    close: () => provider.close(),
  };
};
