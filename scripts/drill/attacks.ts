// What is played: each attack until it is noticed, the response of its runbook, and the attacker who gets nothing more.
import type { Exercise } from './exercise.ts';

export interface Drill {
  readonly description: string;
  readonly play: (exercise: Exercise) => Promise<void>;
}

const attacker = '127.66.0.66';

export const drills: Readonly<Record<string, Drill>> = {
  'stuffing': {
    description: 'a list of leaked passwords is tried from one address',
    async play(exercise) {
      const attempt = (index: number) => {
        const body = { email: `leaked.${index}@example.net`, password: 'it was good enough elsewhere' };
        return exercise.call('POST', '/v1/auth/login', { from: attacker, body });
      };
      exercise.begin('thirty addresses of a list are tried');
      for (let index = 0; index < 30; index++) await attempt(index);
      await exercise.detected('unknown_accounts');
      exercise.respond('block', attacker, '--minutes', '60');
      await exercise.stopped('the next attempt', 403, () => attempt(30));
    },
  },
  'stolen-token': {
    description: 'a refresh token is used by a thief, and by its owner',
    async play(exercise) {
      const alice = await exercise.signUp('alice');
      const { refreshToken } = await exercise.signIn(alice);
      const refresh = (from?: string, token = refreshToken) =>
        exercise.call('POST', '/v1/auth/refresh', { from, body: { refreshToken: token } });
      exercise.begin('the thief refreshes the session with a copy, twice');
      const { body } = await refresh(attacker);
      await refresh(attacker, body['refreshToken']);
      await refresh();
      await exercise.detected('authn_token_reuse');
      exercise.respond('end-sessions', alice.email);
      await exercise.stopped('the access token of the thief', 401, () =>
        exercise.call('GET', '/v1/users/me', { from: attacker, token: body['accessToken'] }),
      );
    },
  },
  'insider': {
    description: 'an administrator makes an accomplice one, too',
    async play(exercise) {
      const [insider, accomplice, other] = [
        await exercise.signUp('insider'),
        await exercise.signUp('accomplice'),
        await exercise.signUp('other'),
      ];
      for (const { email } of [insider, other]) exercise.operate('users:grant', email, 'admin');
      const { token } = await exercise.signIn(insider);
      exercise.begin('the insider gives the accomplice the role of an administrator');
      const path = `/v1/users/${accomplice.userId}/roles`;
      await exercise.call('PATCH', path, { token, body: { roles: ['user', 'admin'] } });
      await exercise.detected('authz_change');
      exercise.respond('disable-user', accomplice.email);
      exercise.respond('disable-user', insider.email);
      await exercise.stopped('the next step of the insider', 401, () => exercise.call('GET', '/v1/users', { token }));
    },
  },
  'leaked-key': {
    description: 'an API key is found in a repository',
    async play(exercise) {
      const owner = await exercise.signUp('owner');
      const { token } = await exercise.signIn(owner);
      const body = { name: 'Import', scopes: ['resource:read'], expiresInDays: 30 };
      const { key = '', id = '' } = (await exercise.call('POST', '/v1/api-keys', { token, body })).body;
      const use = () => exercise.call('GET', '/v1/resources', { from: attacker, token: key });
      exercise.begin('a stranger reads with the key');
      await use();
      exercise.respond('revoke-key', id);
      await exercise.stopped('the key', 401, use);
      await exercise.detected('revoked_credential');
    },
  },
};
