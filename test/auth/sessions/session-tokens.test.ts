import { describe, expect, it } from 'vitest';
import type { Macs } from '../../../src/common/macs.js';
import type { AccessTokens } from '../../../src/auth/authentication/access-tokens.js';
import { SessionTokens, type RefreshTokenCookie } from '../../../src/auth/sessions/session-tokens.js';

const session = {
  id: '01980000-0000-7000-8000-000000000001',
  userId: '01980000-0000-7000-8000-000000000002',
  refreshCounter: 0,
  authenticatedAt: new Date(),
  methods: ['pwd'],
  factorDue: false,
  inBrowser: true,
};
const macs = { sign: () => ({ keyId: 'key', mac: Buffer.alloc(32) }) } as unknown as Macs;
const accessTokens = { issue: () => Promise.resolve('access') } as unknown as AccessTokens;

describe('a service without browser mode [ASVS 3.3.4]', () => {
  it('is asked for a token that scripts cannot read: refused, never given where they can', async () => {
    const tokens = new SessionTokens(accessTokens, macs);
    expect(() => tokens.assertCookie()).toThrow(/no browser mode|malformed/);
    await expect(tokens.issue(session)).rejects.toMatchObject({ type: 'malformed-request' });
  });

  it('with the cookie of browser mode: the token is there, and not in the answer', async () => {
    const tokens = new SessionTokens(accessTokens, macs);
    const written: string[] = [];
    tokens.cookie = { write: (token) => void written.push(token) } as RefreshTokenCookie;
    tokens.assertCookie();
    expect(await tokens.issue(session)).toMatchObject({ refreshToken: null });
    expect(written).toEqual([expect.stringMatching(/^key\.[\w-]{70}$/)]);
  });
});
