import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WrapContext, WrappedKey } from '../../src/keys/key-wrapper.js';
import { AwsKmsWrapper } from '../../src/key-wrappers/aws-kms.js';
import { KmsStub, kmsCredentials } from '../../../../test/support/stubs/kms.js';
import { expectOutage, keyWrapperContract, newContext, printsOf } from './contract.js';

// The real service, when TEST_AWS_KMS_KEY_ID (an ARN) is set: credentials from the standard chain,
// TEST_AWS_KMS_ENDPOINT if need be.
const realKey = process.env['TEST_AWS_KMS_KEY_ID'];
const nobody = 'http://127.0.0.1:9';

if (realKey !== undefined) {
  const keyArns = [realKey];
  keyWrapperContract('aws-kms (real)', async () => ({
    wrapper: await AwsKmsWrapper.open({ keyArns, endpoint: process.env['TEST_AWS_KMS_ENDPOINT'] }),
    unreachable: await AwsKmsWrapper.open({ keyArns, endpoint: nobody }),
    close: () => Promise.resolve(),
  }));
}

if (realKey === undefined) {
  keyWrapperContract('aws-kms (stub; set TEST_AWS_KMS_KEY_ID for the real one)', async () => {
    for (const [name, value] of Object.entries(kmsCredentials)) vi.stubEnv(name, value);
    const stub = await KmsStub.start();
    const keyArns = [stub.makeKey()];
    return {
      wrapper: await AwsKmsWrapper.open({ keyArns, endpoint: stub.endpoint }),
      unreachable: await AwsKmsWrapper.open({ keyArns, endpoint: nobody }),
      close: () => stub.close(),
    };
  });
}

describe('aws-kms (stub): what only a stub can be told to do', () => {
  let stub: KmsStub;
  let keyArn: string;
  let wrapper: AwsKmsWrapper;
  let key: WrappedKey;
  const secret = randomBytes(32);
  const context: WrapContext = newContext();

  beforeAll(async () => {
    for (const [name, value] of Object.entries(kmsCredentials)) vi.stubEnv(name, value);
    stub = await KmsStub.start();
    keyArn = stub.makeKey();
    wrapper = await AwsKmsWrapper.open({ keyArns: [keyArn], endpoint: stub.endpoint });
    key = await wrapper.wrap(secret, context);
  });
  beforeEach(() => {
    stub.refusal = undefined;
    stub.operations.length = 0;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await stub.close();
  });

  it.each([
    'AccessDeniedException',
    'DisabledException',
    'NotFoundException',
    'KMSInvalidStateException',
    'ExpiredTokenException',
    'UnrecognizedClientException',
  ])('%s: an outage, not tampering; asked once', async (type) => {
    stub.refusal = { status: 400, body: JSON.stringify({ __type: type, message: 'no' }) };
    await expectOutage(wrapper, key, context);
    expect(stub.operations).toEqual(['TrentService.Decrypt', 'TrentService.Encrypt']);
  });

  it.each([
    ['ThrottlingException', 400],
    ['KMSInternalException', 500],
    ['DependencyTimeoutException', 503],
  ])('%s: an outage after two more tries', async (type, status) => {
    stub.refusal = { status, body: JSON.stringify({ __type: type }) };
    await expectOutage(wrapper, key, context);
    expect(stub.operations).toHaveLength(6);
  });

  it('an answer that is no JSON, or a redirect: an outage, and nothing of the answer is told', async () => {
    const piece = `{"Plaintext": ${secret.toString('base64')}`;
    stub.refusal = { status: 200, body: piece };
    await expectOutage(wrapper, key, context);
    const error: unknown = await wrapper.unwrap(key, context).catch((thrown: unknown) => thrown);
    for (const form of printsOf(secret)) expect(String((error as Error).stack)).not.toContain(form.slice(0, 8));
    stub.refusal = { status: 307, body: '', headers: { location: stub.endpoint } };
    await expectOutage(wrapper, key, context);
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

  it('credentials that are not ours: an outage', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another');
    const stranger = await AwsKmsWrapper.open({ keyArns: [keyArn], endpoint: stub.endpoint });
    await expectOutage(stranger, key, context);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', kmsCredentials.AWS_SECRET_ACCESS_KEY);
  });

  it('the table names a KMS key of the attacker, who allows everybody to use it: KMS is not even asked', async () => {
    const attackersKey = stub.makeKey();
    const attacker = await AwsKmsWrapper.open({ keyArns: [attackersKey], endpoint: stub.endpoint });
    const planted = await attacker.wrap(randomBytes(32), context);
    stub.operations.length = 0;
    expect(await wrapper.unwrap(planted, context)).toBeUndefined();
    expect(stub.operations).toEqual([]);
    // And with the wrapping key of ours written over theirs, KMS says that it is another one.
    expect(await wrapper.unwrap({ ...planted, wrappingKey: keyArn }, context)).toBeUndefined();
    expect(stub.operations).toEqual(['TrentService.Decrypt']);
  });

  it('another key comes first: it wraps, and the old one still unwraps', async () => {
    const next = stub.makeKey();
    const moved = await AwsKmsWrapper.open({ keyArns: [next, keyArn], endpoint: stub.endpoint });
    expect(await moved.unwrap(key, context)).toEqual(secret);
    expect((await moved.wrap(secret, context)).wrappingKey).toBe(next);
  });

  it('the SDK is not installed: the boot says what to do', async () => {
    const missing = () =>
      Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
    await expect(AwsKmsWrapper.open({ keyArns: [keyArn], endpoint: undefined }, missing)).rejects.toThrow(
      /needs the package @aws-sdk\/client-kms: run npm ci/,
    );
  });
});
