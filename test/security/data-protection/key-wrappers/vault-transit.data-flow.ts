// With: vault-transit.

import type { OpenDataFlow } from '../../../support/data-flows.js';
import { VaultStub } from '../../../support/stubs/vault-transit.js';

export const openDataFlow: OpenDataFlow = async () => {
  const stub = await VaultStub.start();
  const host = new URL(stub.address).host;
  return {
    variable: 'VAULT_ADDR',
    port: Number(new URL(stub.address).port),
    env: {
      VAULT_ADDR: `https://${host}`,
      VAULT_TRANSIT_KEY: 'data-keys',
      VAULT_TOKEN_FILE: stub.tokenFile,
      VAULT_CA_FILE: stub.caFile,
    },
    async use({ app, env, live }) {
      await app.restart({ env: { ...env, KEY_WRAPPER: 'vault-transit' } });
      await live();
    },
    close: () => stub.close(),
  };
};
