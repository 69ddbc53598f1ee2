// With: resources.

import { post, type Flows } from '../../atomicity/flow.js';
import { signUp } from '../../support/actors.js';
import { makeKey } from './keys.js';

export const flows: Flows = {
  'makes an API key': {
    prepare: async (app) => {
      const body = { name: 'Nightly import', scopes: ['resource:read'], expiresInDays: 30 };
      return post('/v1/api-keys', body, await signUp(app, 'keeper'));
    },
  },
  'makes a successor, which bounds the life of the key before it': {
    isKilled: true,
    prepare: async (app) => {
      const keeper = await signUp(app, 'keeper');
      const { id } = await makeKey(app, keeper, { scopes: ['resource:read'] });
      return post(`/v1/api-keys/${id}/successor`, { expiresInDays: 30, overlapHours: 1 }, keeper);
    },
  },
};
