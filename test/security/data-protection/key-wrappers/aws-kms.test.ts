import { describe, expect, it } from 'vitest';
import { Relay } from '../../../support/relay.js';
import { KmsStub, kmsCredentials } from '../../../support/stubs/kms.js';
import { crossesNoNetworkInClear, isChosenOrRefused } from './choice.parts.js';
import { faultsOf } from './configuration.parts.js';
import { isAskedThroughEgress } from './egress.parts.js';
import { theServiceOn } from './service.parts.js';

const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const kms = { AWS_KMS_KEY_ID: arn };

describe('configuration of AWS KMS [practice 7.3] [ASVS 13.3.3]', () => {
  isChosenOrRefused('aws-kms', kms, { AWS_KMS_KEY_ID: [] });
  crossesNoNetworkInClear('AWS_KMS_ENDPOINT', kms);

  it.each<[string, Record<string, string>]>([
    ['KEY_WRAPPER is aws-kms: set AWS_KMS_KEY_ID', { KEY_WRAPPER: 'aws-kms' }],
    ['AWS_KMS_ENDPOINT needs AWS_KMS_KEY_ID', { AWS_KMS_ENDPOINT: 'https://kms.example.org' }],
    [
      'AWS_KMS_KEY_ID: set keys of one region only',
      { AWS_KMS_KEY_ID: `${arn},${arn.replace('eu-central-1', 'us-east-1')}` },
    ],
  ])('%s', (fault, environment) => expect(faultsOf(environment)).toContain(fault));

  it.each([
    'alias/data-keys',
    'arn:aws:kms:eu-central-1:111122223333:alias/data-keys',
    '1234abcd-12ab-34cd-56ef-1234567890ab',
  ])('the key %s: refused, because whoever moves an alias would choose the key', (id) => {
    expect(faultsOf({ AWS_KMS_KEY_ID: id })).toContain('AWS_KMS_KEY_ID: set the ARN of a key');
  });
});

theServiceOn('aws-kms', async () => {
  Object.assign(process.env, kmsCredentials);
  const stub = await KmsStub.start();
  const { relay, url } = await Relay.to(stub.endpoint);
  const env = { KEY_WRAPPER: 'aws-kms', AWS_KMS_KEY_ID: stub.makeKey(), AWS_KMS_ENDPOINT: url };
  return { relay, env, credential: kmsCredentials.AWS_SECRET_ACCESS_KEY, close: () => stub.close() };
});

isAskedThroughEgress('AWS KMS', async () => {
  Object.assign(process.env, kmsCredentials);
  const stub = await KmsStub.start();
  const key = stub.makeKey();
  const envAt = (host: string) => ({
    KEY_WRAPPER: 'aws-kms',
    AWS_KMS_KEY_ID: key,
    AWS_KMS_ENDPOINT: `http://${host}:${new URL(stub.endpoint).port}`,
  });
  return { envAt, operations: stub.operations, close: () => stub.close() };
});
