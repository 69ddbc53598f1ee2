import { afterAll, beforeAll, describe, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { AuditModule, expectLostRole, scopes } from '../lost-role.js';
import { makeKey } from './keys.js';

describe('the owner of an API key is no administrator any more [practice 2.4] [ASVS 8.3.2] [A5-4]', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule, AuditModule] });
  });
  afterAll(() => app.close());

  it('calls where it took that role: 403 at once, on every instance; the rest stays open', () =>
    expectLostRole(app, async (owner) => (await makeKey(app, owner, { scopes })).key));
});
