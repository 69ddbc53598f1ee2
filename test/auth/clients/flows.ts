// With: resources.

import { post, type Flows } from '../../atomicity/flow.js';
import { signUpAdministrator } from '../../support/actors.js';
import { newKey } from './registered-client.js';

export const flows: Flows = {
  'registers a client': {
    isKilled: true,
    prepare: async (app) => {
      const admin = await signUpAdministrator(app);
      const body = { name: 'Analyser', ownerId: admin.userId, scopes: ['resource:read'], key: newKey().jwk };
      return post('/v1/clients', body, admin);
    },
  },
};
