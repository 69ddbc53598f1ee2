// With: aws-kms.

import { vi } from 'vitest';
import type { OpenDataFlow } from '../../../support/data-flows.js';
import { KmsStub, kmsCredentials } from '../../../support/stubs/kms.js';

export const openDataFlow: OpenDataFlow = async () => {
  for (const [name, value] of Object.entries(kmsCredentials)) vi.stubEnv(name, value);
  const stub = await KmsStub.start();
  return {
    variable: 'AWS_KMS_ENDPOINT',
    port: Number(new URL(stub.endpoint).port),
    env: { AWS_KMS_KEY_ID: stub.makeKey(), AWS_KMS_ENDPOINT: stub.endpoint },
    async use({ app, env, live }) {
      await app.restart({ env: { ...env, KEY_WRAPPER: 'aws-kms' } });
      await live();
    },
    close: () => stub.close(),
  };
};
