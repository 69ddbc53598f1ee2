import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.js';

// While a key service is away: the tests of key services.
describe('sign-in does the same for a known and an unknown address [A2-1] [ASVS 6.3.8]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('starts on several instances and again: one stand-in, sealed under one key of its own', async () => {
    await app.restart();
    expect(await app.sql(`SELECT state FROM data_keys WHERE subject = 'stand-in'`)).toEqual([{ state: 'active' }]);
    expect(await app.sql('SELECT hash FROM stand_in_credentials')).toEqual([
      { hash: expect.stringMatching(/^enc:v1:/) },
    ]);
  });
});
