import { minute, type LimitRow, type Send } from '../../../security/rate-limiting/limits.parts.js';

const signIn: Send = ({ app }, from) => app.request('POST', '/v1/auth/passkeys/sign-in-options', { from });

export const limitRows: readonly LimitRow[] = [['passkey-network', 30, minute, 'network', undefined, signIn]];
