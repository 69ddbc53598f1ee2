import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownEverywhereMs } from '../../../src/auth/signing-keys/lifetimes.js';
import { Operator } from '../../cli/operator.js';
import { signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { decode } from '../forge.js';
import { RegisteredClient } from './registered-client.js';

// The command as operators run it, a process of its own beside the running service.
describe('keys:rotate jwt while programs call [practice 2.2] [ASVS 11.2.2]', () => {
  let app: TestApp;
  let operator: Operator;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule], env: { RATE_LIMIT_SCALE: '1000' } });
    operator = new Operator(app);
  });
  afterAll(async () => {
    operator.close();
    await app.close();
  });

  it('not one request for a token and not one call is refused, and both keys sign meanwhile', async () => {
    const admin = await signUpAdministrator(app);
    const client = await RegisteredClient.create(app, admin, admin.userId);
    const [refused, kids] = [[] as string[], new Set<unknown>()];
    const load = { isRunning: true, count: 0 };
    const work = async (at: number) => {
      for (let turn = at; load.isRunning; turn++) {
        const asked = await client.ask({ on: turn });
        const token = asked.body.access_token as string;
        // Issued by one instance, shown to the other.
        const call = await app.on(turn + 1).request('GET', '/v1/samples', { token });
        if (asked.status !== 200 || call.status !== 200) refused.push(`${asked.status}, ${call.status}`);
        else kids.add(decode(token).header['kid']);
        load.count += 2;
      }
    };
    const done = Promise.all([0, 1, 2, 3].map(work));
    const { code, output } = await operator.run('keys:rotate', 'jwt');
    await new Promise((resolve) => setTimeout(resolve, knownEverywhereMs + 500));
    load.isRunning = false;
    await done;
    expect([code, refused, load.count > 100], output).toEqual([0, [], true]);
    expect(kids.size).toBe(2);
  }, 120_000);
});
