import { itLosesWhatItsOwnerLost, scopes } from '../lost-role.js';
import { makeKey } from './keys.js';

itLosesWhatItsOwnerLost('an API key', async (app, owner) => (await makeKey(app, owner, { scopes })).key);
