import { itLosesWhatItsOwnerLost, scopes } from '../lost-role.js';
import { RegisteredClient } from './registered-client.js';

itLosesWhatItsOwnerLost('a client', async (app, owner) => {
  const client = await RegisteredClient.create(app, owner, owner.userId, { scopes });
  return client.token({ fields: { scope: scopes.join(' ') } });
});
