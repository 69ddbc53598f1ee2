import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientClaims } from './client-token.js';

/**
 * The token that a request for introspection or revocation is about, verified. The library stores tokens and looks them
 * up; ours are signed and not stored, so that it is handed this one in place of a row.
 */
export const presentedToken = new AsyncLocalStorage<ClientClaims | undefined>();
