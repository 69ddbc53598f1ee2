import type { OpenDataFlow } from '../../../support/data-flows.js';
import { TlsServer } from '../../../egress/servers.js';

export const openDataFlow: OpenDataFlow = async (authority) => {
  const list = await TlsServer.start(authority);
  list.answer = (response) => response.end(`${'0'.repeat(35)}:0`);
  const host = `localhost:${list.port}`;
  return {
    variable: 'BREACHED_PASSWORDS_URL',
    port: list.port,
    env: { BREACHED_PASSWORDS_URL: `https://${host}`, EGRESS_ALLOW_PRIVATE_HOSTS: host },
    // Every sign-up asks.
    use: ({ live }) => live(),
    close: () => list.close(),
  };
};
