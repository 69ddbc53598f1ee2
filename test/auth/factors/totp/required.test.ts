import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecondFactors } from '../../../../src/auth/factors/second-factors.js';
import { SessionsService } from '../../../../src/auth/sessions/sessions.service.js';
import { signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { meanwhile } from '../../../support/meanwhile.js';
import { halfSignIn } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove, signInWithCode } from './app.js';

const kinds = [
  'nothing',
  // With: recovery-codes.
  'recovery codes only',
  'an app',
] as const;
type Kind = (typeof kinds)[number];

/** What the password alone opens, by what the person has enrolled. */
interface Opened {
  readonly secondFactors: readonly string[];
  readonly account: number;
  readonly enrolment: number;
  /** With a code that is wrong. */
  readonly proof: number;
  // With: recovery-codes.
  readonly recoveryProof: number;
  // With: recovery-codes.
  readonly recoveryCodes: number;
}

const everything: Opened = {
  secondFactors: [],
  account: 200,
  enrolment: 201,
  proof: 409,
  // With: recovery-codes.
  recoveryProof: 409,
  // With: recovery-codes.
  recoveryCodes: 200,
};
const enrolmentOnly: Opened = {
  secondFactors: ['enrolment'],
  account: 401,
  enrolment: 201,
  proof: 409,
  // With: recovery-codes.
  recoveryProof: 409,
  // With: recovery-codes.
  recoveryCodes: 401,
};
const proofOnly: Opened = {
  secondFactors: [
    'totp',
    // With: recovery-codes.
    'recovery-code',
  ],
  account: 401,
  enrolment: 401,
  proof: 401,
  // With: recovery-codes.
  recoveryProof: 401,
  // With: recovery-codes.
  recoveryCodes: 401,
};

const modes: Readonly<Record<string, Readonly<Record<Kind, Opened>>>> = {
  optional: {
    'nothing': everything,
    // With: recovery-codes.
    'recovery codes only': everything,
    'an app': proofOnly,
  },
  required: {
    'nothing': enrolmentOnly,
    // With: recovery-codes.
    'recovery codes only': enrolmentOnly,
    'an app': proofOnly,
  },
};

describe.each(Object.keys(modes))('SECOND_FACTOR=%s: what the password alone opens [ASVS 6.3.3]', (mode) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000', SECOND_FACTOR: mode } });
  });
  afterAll(() => app.close());

  async function person(kind: Kind): Promise<Actor> {
    const actor = await signUp(app, 'alice');
    if (kind === 'nothing') return actor;
    const enrolled = await enrolTotp(app, actor);
    // With: recovery-codes.
    if (kind === 'recovery codes only') {
      expect((await app.request('DELETE', '/v1/auth/totp', { token: enrolled.token })).status).toBe(204);
    }
    return enrolled;
  }

  it.each(kinds)(
    'to somebody who has enrolled %s: what the table says, and no other route of the factors [A2-6]',
    async (kind) => {
      const { email, password } = await person(kind);
      const { body } = await app.request('POST', '/v1/auth/login', { body: { email, password } });
      const status = async (method: string, path: string, code?: string) =>
        (
          await app.request(method, path, {
            token: body.accessToken,
            ...(code === undefined ? {} : { body: { code } }),
          })
        ).status;
      const opened: Opened = {
        secondFactors: body.secondFactors,
        account: await status('GET', '/v1/users/me'),
        enrolment: await status('POST', '/v1/auth/totp'),
        proof: await status('POST', '/v1/auth/totp/verify', '000000'),
        // With: recovery-codes.
        recoveryProof: await status('POST', '/v1/auth/recovery-codes/verify', 'WRONG'),
        // With: recovery-codes.
        recoveryCodes: await status('GET', '/v1/auth/recovery-codes'),
      };
      expect(opened).toEqual(modes[mode]?.[kind]);
      expect(body.refreshToken === null).toBe(opened.account === 401);
      expect(await status('POST', '/v1/auth/logout')).toBe(204);
    },
  );
});

describe('where a second factor is demanded, the first one is enrolled right after the password [ASVS 6.3.3]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000', SECOND_FACTOR: 'required' } });
  });
  afterAll(() => app.close());

  const begin = (token: string) => app.request('POST', '/v1/auth/totp', { token });
  const confirm = (token: string, code: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/totp/confirm', { token, body: { code } });

  it('an honest person enrols, is signed in by that, and proves the app from then on', async () => {
    const alice = await signUp(app, 'alice');
    const { secret } = (await begin(alice.token)).body;
    const { status, body } = await confirm(alice.token, nextCode(app, secret));
    expect(status).toBe(200);
    // With: recovery-codes.
    expect(body.recoveryCodes).toHaveLength(10);
    expect(body.tokens).toMatchObject({ refreshToken: expect.any(String), secondFactors: [] });
    expect((await app.request('GET', '/v1/users/me', { token: body.tokens.accessToken })).status).toBe(200);
    for (const { request } of app.instances)
      expect((await request('POST', '/v1/auth/logout', { token: alice.token })).status).toBe(401);
    expect((await signInWithCode(app, { ...alice, secret, recoveryCodes: [] })).refreshToken).toBeTruthy();
  });

  it('waits in a second session while the owner enrols: it ends, and its secret is worth nothing [A2-6]', async () => {
    const owner = await signUp(app, 'alice');
    const thief = await halfSignIn(app, owner);
    const { secret } = (await begin(thief)).body;
    const enrolled = await enrolTotp(app, owner);
    expect((await confirm(thief, nextCode(app, secret))).status).toBe(401);
    expect((await begin(thief)).status).toBe(401);
    expect((await prove(app, await halfSignIn(app, enrolled), nextCode(app, secret))).status).toBe(401);
  });

  // With: passkeys.
  it('finishes in the moment in which another method was enrolled: 409, no second app beside it [A2-6]', async () => {
    const owner = await signUp(app, 'alice');
    const { secret } = (await begin(owner.token)).body;
    const passkey = { name: 'passkey', label: 'a passkey', method: 'hwk' };
    for (const { service } of app.instances)
      service.app.get(SecondFactors, { strict: false }).add(passkey, async (userId) => userId === owner.userId);
    await app.operate(`UPDATE users SET second_factors = '{passkey}' WHERE id = $1`, [owner.userId]);
    expect((await confirm(owner.token, nextCode(app, secret))).status).toBe(409);
    expect(
      await app.sql('SELECT 1 FROM totp_authenticators WHERE user_id = $1 AND confirmed_at IS NOT NULL', [
        owner.userId,
      ]),
    ).toEqual([]);
    expect(await app.sql('SELECT methods FROM sessions WHERE user_id = $1 AND NOT factor_due', [owner.userId])).toEqual(
      [],
    );
  });

  it('confirms from two sessions at once: one whole sign-in arises', async () => {
    const owner = await signUp(app, 'alice');
    const other = await halfSignIn(app, owner);
    const { secret } = (await begin(owner.token)).body;
    const code = nextCode(app, secret);
    const answers = await Promise.all([confirm(owner.token, code, 0), confirm(other, code, 1)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(
      await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due', [
        owner.userId,
      ]),
    ).toHaveLength(1);
  });

  it('signs in while the first factor is enrolled: it is due, no session without it [A2-6]', async () => {
    const optional = await startApp({ env: { SECOND_FACTOR: 'optional' }, instances: 1 });
    try {
      const { email, password, ...owner } = await signUp(optional, 'alice');
      meanwhile(optional, () => enrolTotp(optional, { ...owner, email, password }));
      const { status, body } = await optional.request('POST', '/v1/auth/login', { body: { email, password } });
      const due = [
        'totp',
        // With: recovery-codes.
        'recovery-code',
      ];
      expect([status, body.refreshToken, body.secondFactors]).toEqual([200, null, due]);
      expect((await optional.request('GET', '/v1/users/me', { token: body.accessToken })).status).toBe(401);
    } finally {
      await optional.close();
    }
  });

  it('the whole sign-in cannot be written: 500, and neither the app nor codes are there', async () => {
    const owner = await signUp(app, 'alice');
    const { secret } = (await begin(owner.token)).body;
    const code = nextCode(app, secret);
    vi.spyOn(app.on(0).service.app.get(SessionsService, { strict: false }), 'create').mockRejectedValueOnce(
      new Error('the disk is full'),
    );
    expect((await confirm(owner.token, code)).status).toBe(500);
    expect(
      await app.sql('SELECT 1 FROM totp_authenticators WHERE user_id = $1 AND confirmed_at IS NOT NULL', [
        owner.userId,
      ]),
    ).toEqual([]);
    // With: recovery-codes.
    expect(await app.sql('SELECT 1 FROM recovery_codes WHERE user_id = $1', [owner.userId])).toEqual([]);
    expect((await confirm(owner.token, code)).body.tokens).toMatchObject({ refreshToken: expect.any(String) });
  });

  it('marks a whole session as waiting for an enrolment by SQL: the database refuses', async () => {
    await expect(app.sql('UPDATE sessions SET enrolment_due = true, factor_due = false')).rejects.toThrow(
      /check constraint/,
    );
  });
});
