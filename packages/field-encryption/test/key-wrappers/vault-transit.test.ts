import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WrapContext, WrappedKey } from '../../src/keys/key-wrapper.js';
import { VaultTransitWrapper, type VaultTransitSettings } from '../../src/key-wrappers/vault-transit.js';
import { createCa } from '../../../../src/security/transport/development-ca.js';
import { VaultStub } from '../../../../test/support/stubs/vault-transit.js';
import { expectOutage, keyWrapperContract, newContext, printsOf } from './contract.js';

// The real service, when TEST_VAULT_ADDR is set; then TEST_VAULT_TOKEN_FILE and TEST_VAULT_TRANSIT_KEY are needed too.
const real = process.env['TEST_VAULT_ADDR'];
const nobody = 'https://127.0.0.1:9';

const settingsOf = (stub: VaultStub): VaultTransitSettings => ({
  address: stub.address,
  mount: 'transit',
  key: 'data-keys',
  tokenFile: stub.tokenFile,
  caFile: stub.caFile,
});

if (real !== undefined) {
  const settings: VaultTransitSettings = {
    address: real,
    mount: process.env['TEST_VAULT_TRANSIT_MOUNT'] ?? 'transit',
    key: needed('TEST_VAULT_TRANSIT_KEY'),
    tokenFile: needed('TEST_VAULT_TOKEN_FILE'),
    caFile: process.env['TEST_VAULT_CA_FILE'],
  };
  keyWrapperContract('vault-transit (real)', async () => ({
    wrapper: await VaultTransitWrapper.open(settings),
    unreachable: await VaultTransitWrapper.open({ ...settings, address: nobody }),
    close: () => Promise.resolve(),
  }));
}

if (real === undefined) {
  keyWrapperContract('vault-transit (stub; set TEST_VAULT_ADDR for the real one)', async () => {
    const stub = await VaultStub.start();
    return {
      wrapper: await VaultTransitWrapper.open(settingsOf(stub)),
      unreachable: await VaultTransitWrapper.open({ ...settingsOf(stub), address: nobody }),
      close: () => stub.close(),
    };
  });
}

describe('vault-transit (stub): what only a stub can be told to do', () => {
  let stub: VaultStub;
  let wrapper: VaultTransitWrapper;
  let key: WrappedKey;
  const secret = randomBytes(32);
  const context: WrapContext = newContext();

  beforeAll(async () => {
    stub = await VaultStub.start();
    wrapper = await VaultTransitWrapper.open(settingsOf(stub));
    key = await wrapper.wrap(secret, context);
  });
  beforeEach(() => {
    stub.refusal = undefined;
    stub.operations.length = 0;
  });
  afterAll(() => stub.close());

  it.each([
    ['403 (the policy)', 403, '{"errors":["permission denied"]}', 6],
    ['429 (a quota)', 429, '{"errors":["request path quota exceeded"]}', 6],
    ['500', 500, '{"errors":["internal error"]}', 6],
    ['503 (sealed)', 503, '{"errors":["Vault is sealed"]}', 6],
    ['404 (no such mount)', 404, '{"errors":[]}', 2],
    ['400 (no such key)', 400, '{"errors":["encryption key not found"]}', 2],
    ['200 without a key', 200, '{"data":{}}', 2],
    ['200 without JSON', 200, '<html>', 2],
  ])('%s: an outage, not tampering', async (_, status, body, asked) => {
    stub.refusal = { status, body };
    await expectOutage(wrapper, key, context);
    expect(stub.operations).toHaveLength(asked);
  });

  it('redirects to somebody else: the token does not follow', async () => {
    const thief = await VaultStub.start();
    stub.refusal = { status: 307, body: '', headers: { location: `${thief.address}/v1/transit/decrypt/data-keys` } };
    await expectOutage(wrapper, key, context);
    expect(thief.operations).toEqual([]);
    await thief.close();
  });

  it('an answer of a mebibyte, or one cut in the middle: an outage, and nothing of the answer is told', async () => {
    stub.refusal = {
      status: 200,
      body: JSON.stringify({ data: { plaintext: secret.toString('base64') }, padding: 'x'.repeat(1024 * 1024) }),
    };
    await expectOutage(wrapper, key, context);
    stub.refusal = { status: 200, body: `{"data":{"plaintext":${secret.toString('base64')}` };
    const error: unknown = await wrapper.unwrap(key, context).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'KeyServiceUnavailable' });
    for (const form of printsOf(secret)) expect(String((error as Error).stack)).not.toContain(form.slice(0, 8));
  });

  it('no answer at all: an outage within the time that a transaction waits', { tags: ['timing'] }, async () => {
    stub.refusal = 'hang';
    const started = performance.now();
    await expect(wrapper.unwrap(key, context)).rejects.toMatchObject({
      name: 'KeyServiceUnavailable',
      message: expect.stringContaining('timeout') as string,
    });
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('the token ends and the agent has written the next one: it is read, and nobody notices', async () => {
    stub.renewToken();
    expect(await wrapper.unwrap(key, context)).toEqual(secret);
    expect(stub.operations).toEqual(['decrypt data-keys', 'decrypt data-keys']);
  });

  it('the token ends and nobody writes the next one, or the file is gone: an outage', async () => {
    stub.renewToken({ written: false });
    await expectOutage(wrapper, key, context);
    const lost = await VaultTransitWrapper.open({ ...settingsOf(stub), tokenFile: join(stub.directory, 'none') });
    await expect(lost.unwrap(key, context)).rejects.toThrow(/VAULT_TOKEN_FILE: ENOENT/);
    stub.renewToken();
  });

  it('a token file with a line break inside: refused before it becomes a header', async () => {
    const tokenFile = join(stub.directory, 'two-lines');
    writeFileSync(tokenFile, 'hvs.one\r\nx-vault-namespace: other\n');
    const split = await VaultTransitWrapper.open({ ...settingsOf(stub), tokenFile });
    await expect(split.unwrap(key, context)).rejects.toThrow(/VAULT_TOKEN_FILE holds no token/);
    expect(stub.operations).toEqual([]);
  });

  it('a certificate of another CA gets no request, even when the environment trusts all [ASVS 12.3.2]', async () => {
    const caFile = join(stub.directory, 'other-ca.crt');
    writeFileSync(caFile, (await createCa()).cert);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      for (const file of [caFile, undefined])
        await expectOutage(await VaultTransitWrapper.open({ ...settingsOf(stub), caFile: file }), key, context);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(stub.operations).toEqual([]);
  });

  it('a CA file that is not there: the boot says so', async () => {
    await expect(
      VaultTransitWrapper.open({ ...settingsOf(stub), caFile: join(stub.directory, 'none') }),
    ).rejects.toThrow(/VAULT_CA_FILE cannot be read \(ENOENT\)/);
  });

  it('a Vault that drops associated data without a word, as before 1.13: nothing is wrapped with it', async () => {
    const old = await VaultStub.start();
    old.ignoresAssociatedData = true;
    const unbound = await VaultTransitWrapper.open(settingsOf(old));
    for (let attempt = 0; attempt < 2; attempt += 1)
      await expect(unbound.wrap(secret, context)).rejects.toThrow(/ignores associated_data: Vault 1\.13/);
    await old.close();
  });

  it('the key is rotated in Vault: new keys get the new version, older ones still open', async () => {
    stub.rotate();
    const next = await wrapper.wrap(secret, context);
    expect(next.wrapped).toMatch(/^vault:v2:/);
    expect(await wrapper.unwrap(key, context)).toEqual(secret);
    expect(await wrapper.unwrap(next, context)).toEqual(secret);
    expect(await wrapper.unwrap({ ...next, wrapped: next.wrapped.replace('v2', 'v1') }, context)).toBeUndefined();
    expect(await wrapper.unwrap({ ...key, wrapped: key.wrapped.replace('v1', 'v0') }, context)).toBeUndefined();
  });
});

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`TEST_VAULT_ADDR is set: set ${name} too`);
  return value;
}
