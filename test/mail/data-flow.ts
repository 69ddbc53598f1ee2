import type { OpenDataFlow } from '../support/data-flows.js';
import { serverNames } from '../support/tls-servers.js';
import { MailServer } from './mail-server.js';

/** Mail goes to the person: their address and their own token are in it. */
export const openDataFlow: OpenDataFlow = async (authority) => {
  const server = await MailServer.start({ certificate: await authority.issue('mail', serverNames), secure: true });
  return {
    variable: 'SMTP_URL',
    port: server.port,
    env: { SMTP_URL: server.url(), SMTP_CA_FILE: authority.caFile },
    mayHave: ['email', 'mailedToken'],
    use: ({ app, person }) => app.request('POST', '/v1/auth/register', { body: { email: person.email } }),
    close: () => server.stop(),
  };
};
