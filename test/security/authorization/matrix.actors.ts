import { decode, es256, genuineKey } from '../../auth/forge.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import { machineToken } from '../../support/sample/machines.js';

/**
 * The columns of the matrix. `machine` is one of the owner's, with every scope; `preFactor` has proved the password and
 * owes the second factor; `expired` is the owner, an hour ago.
 */
export const actors = [
  'anonymous',
  'owner',
  'editor',
  'viewer',
  'stranger',
  'exMember',
  'admin',
  'machine',
  'preFactor',
  'expired',
  'disabled',
  'forged',
] as const;
export type ActorName = (typeof actors)[number];

/** Nobody of these has a session that could end. */
const withoutSession: ReadonlySet<ActorName> = new Set(['anonymous', 'machine', 'expired', 'disabled', 'forged']);

/** What a call may end: nothing, the session, the account; or a session whose sign-in is no longer fresh. */
export type Fresh = 'session' | 'person' | 'stale session';

/** Everybody who acts in the matrix. */
export class Cast {
  private signedInAt = Date.now();

  private constructor(
    readonly app: TestApp,
    public people: Readonly<Record<ActorName, Actor>>,
    /** Whom administrators act upon. */
    readonly victim: Actor,
  ) {}

  static async of(app: TestApp): Promise<Cast> {
    const person = (name: string) => signUp(app, name);
    const [owner, editor, viewer, stranger] = [
      await person('owner'),
      await person('editor'),
      await person('viewer'),
      await person('stranger'),
    ];
    const preFactor = await owingFactor(app, await person('prefactor'));
    const [exMember, admin, disabled, victim] = [
      await person('exmember'),
      await signUpAdministrator(app),
      await person('disabled'),
      await person('victim'),
    ];
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.userId]);
    // The micro-cache may still know the disabled person from the sign-in.
    app.clock.advance(3);
    const nobody = {
      anonymous: { ...owner, token: '' },
      machine: { ...owner, token: machineToken(owner) },
      expired: { ...owner, token: expired(app, owner) },
      forged: { ...owner, token: forged(owner) },
    };
    return new Cast(app, { ...nobody, owner, editor, viewer, stranger, exMember, admin, preFactor, disabled }, victim);
  }

  /** Access tokens live for five minutes, and a slow machine needs longer for the whole table. */
  async renew(): Promise<void> {
    if (Date.now() - this.signedInAt < 2 * 60 * 1000) return;
    const renewed = await Promise.all(actors.map(async (name) => [name, await this.session(name)] as const));
    this.people = Object.fromEntries(renewed) as Record<ActorName, Actor>;
    this.signedInAt = Date.now();
  }

  /** The actor for one call. */
  async actor(name: ActorName, fresh?: Fresh): Promise<Actor> {
    if (fresh === undefined) return this.people[name];
    if (fresh === 'person') return this.another(name);
    const person = await this.session(name);
    if (fresh === 'stale session' && !withoutSession.has(name)) await this.makeStale(person);
    return person;
  }

  /** Somebody else of the same standing, who may be erased. */
  private another(name: ActorName): Promise<Actor> {
    if (withoutSession.has(name) || name === 'preFactor') return this.session(name);
    return name === 'admin' ? signUpAdministrator(this.app) : signUp(this.app, name.toLowerCase());
  }

  /** The same person with another session. */
  private async session(name: ActorName): Promise<Actor> {
    const person = this.people[name];
    if (withoutSession.has(name)) return person;
    const renewed = { ...person, ...(await signIn(this.app, person)) };
    return name === 'preFactor' ? owingFactor(this.app, renewed) : renewed;
  }

  private async makeStale({ token }: Actor): Promise<void> {
    await this.app.operate(
      `UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = $1`,
      [decode(token).payload['sid']],
    );
  }
}

/** As after the password alone, whichever second factors the service has. */
async function owingFactor(app: TestApp, actor: Actor): Promise<Actor> {
  await app.operate('UPDATE sessions SET factor_due = true WHERE id = $1', [decode(actor.token).payload['sid']]);
  return actor;
}

const forged = ({ token }: Actor): string => `${token.slice(0, -8)}AAAAAAAA`;

/** Signed with the service's own key, so that nothing but the time speaks against it. */
function expired(app: TestApp, { token }: Actor): string {
  const { header, payload } = decode(token);
  const anHourAgo = (claim: string) => Number(payload[claim]) - 60 * 60;
  return es256(genuineKey(app), header, { ...payload, iat: anHourAgo('iat'), exp: anHourAgo('exp') });
}
