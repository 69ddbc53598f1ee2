import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import type { Relay } from '../../../support/relay.js';
import { visible } from '../../../auth/visible.js';

// The whole service on a key service that speaks the real protocol. Between them a relay that can be cut.

export interface KeyService {
  readonly relay: Relay;
  readonly env: Readonly<Record<string, string>>;
  /** What opens the key service: never in a log. */
  readonly credential: string;
  close(): Promise<void>;
}

/** What any key service must give the whole service; its own test calls it. */
export function theServiceOn(name: string, open: () => Promise<KeyService>): void {
  describe(`the service on ${name} [practice 7.3] [ASVS 13.3.3]`, () => {
    let service: KeyService;
    let app: TestApp;
    let ann: Actor;
    let eve: Actor;

    const login = ({ email, password }: Pick<Actor, 'email' | 'password'>) =>
      app.request('POST', '/v1/auth/login', { body: { email, password } });
    const failures = () =>
      app.sql<{ details: { code: string } }>(`SELECT details FROM audit_events WHERE action = 'crypt_decrypt_fail'`);
    const wrappers = async () =>
      (await app.sql<{ wrapper: string }>('SELECT DISTINCT wrapper FROM data_keys ORDER BY wrapper')).map(
        ({ wrapper }) => wrapper,
      );

    beforeAll(async () => {
      service = await open();
      app = await startApp({ env: service.env });
      [ann, eve] = [await signUp(app, 'ann'), await signUp(app, 'eve')];
    });
    afterAll(async () => {
      await app.close();
      service.relay.close();
      await service.close();
    });

    it('an honest user signs up, in and reads their data; every data key is wrapped by it', async () => {
      expect((await app.request('GET', '/v1/users/me', { token: ann.token })).body).toMatchObject({ email: ann.email });
      expect(await wrappers()).toEqual([name]);
      const purposes = await app.sql('SELECT DISTINCT purpose FROM data_keys ORDER BY purpose');
      expect(purposes).toEqual([{ purpose: 'jwt' }, { purpose: 'pii' }]);
    });

    it('the key service goes away: 503, no alarm of tampering; it comes back, and so do we', async () => {
      await app.restart();
      service.relay.cut();
      const refused = [await login(ann), await app.request('GET', '/v1/users/me', { token: eve.token })];
      for (const { status, headers, text } of refused) {
        expect([status, headers['retry-after']]).toEqual([503, '5']);
        for (const word of [name, 'KEY_SERVICE', 'ECONN', 'wrap', ann.email, eve.email])
          expect(text).not.toContain(word);
      }
      expect(await failures()).toEqual([]);
      // The owner reads which service it is; the credential is nowhere.
      // With: logging.
      expect(app.logText()).toContain(`the key service ${name} does not do its work`);
      expect(app.logText()).not.toContain(service.credential);
      service.relay.restore();
      expect((await login(ann)).status).toBe(200);
    });

    // A key service makes the fetching of data keys visible: it can be away.
    it('asks for accounts while it is away, cold and warm: 503 for known and unknown [A2-1] [ASVS 6.3.8]', async () => {
      const nobody = { email: 'nobody.at.all@example.org', password: 'not the password of anybody' };
      const guess = { ...ann, password: nobody.password };
      // Whoever signs in has their key in memory, and so has whoever was asked for a moment ago.
      await signIn(app, ann);
      await login(nobody);
      service.relay.cut();
      const answers = [await login(guess), await login(nobody), await login(ann)];
      service.relay.restore();
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(visible(answers[0] as never).body).toEqual(visible(answers[1] as never).body);
      expect([(await login(guess)).status, (await login(nobody)).status]).toEqual([401, 401]);
      await signIn(app, ann);
    });

    it('starts without its key service: it says which, and does not start', async () => {
      service.relay.cut();
      await expect(app.restart()).rejects.toThrow(`the key service ${name} does not do its work`);
      service.relay.restore();
      await app.start(1);
      await signIn(app, ann);
    });

    it('wraps with the key ring from now on: what the key service wrapped still opens, beside it', async () => {
      await app.restart({ env: { ...service.env, KEY_WRAPPER: 'local' } });
      await signIn(app, ann);
      await signUp(app, 'bob');
      expect(await wrappers()).toEqual([name, 'local'].toSorted());
      await app.restart({ env: service.env });
      await signIn(app, ann);
    });

    it('swaps the wrapped keys of two people by SQL: refused, and the alarm names the row', async () => {
      await app.sql(
        `UPDATE data_keys mine SET wrapped = theirs.wrapped FROM data_keys theirs
       WHERE mine.subject IN ($1, $2) AND theirs.subject IN ($1, $2) AND mine.subject <> theirs.subject`,
        [ann.userId, eve.userId],
      );
      await app.restart();
      const answer = await app.request('GET', '/v1/users/me', { token: ann.token });
      expect(answer.status).toBe(500);
      for (const person of [ann, eve]) expect(answer.text).not.toContain(person.email);
      const event = await app.auditEvent('crypt_decrypt_fail');
      expect(event).toMatchObject({ target_id: ann.userId, details: { code: 'broken-key' } });
    });
  });
}
