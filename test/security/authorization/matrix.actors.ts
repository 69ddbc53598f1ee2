import { expect } from 'vitest';
import { decode, es256, genuineKey } from '../../auth/forge.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import { createResource, invitationTo, invite, shareWith, unshare } from '../../support/resources.js';
import { enrolTotp, halfSignIn } from '../../support/second-factors.js';

/** The columns of the matrix. `preFactor` has proved the password and owes the second factor; `expired` is the owner, an hour ago. */
export const actors = ['anonymous', 'owner', 'editor', 'viewer', 'stranger', 'exMember', 'admin', 'preFactor', 'expired', 'disabled', 'forged'] as const;
export type ActorName = (typeof actors)[number];

/** Nobody of these is let in, so that none of them needs another session. */
const outside: ReadonlySet<ActorName> = new Set(['anonymous', 'expired', 'disabled', 'forged']);

/** What a call may end: nothing, the session, the account; or a session whose sign-in is no longer fresh. */
export type Fresh = 'session' | 'person' | 'stale session';

/** Where everybody has their standing. */
export interface Stage {
  readonly id: string;
  readonly etag: string;
}

/** Everybody who acts in the matrix. */
export class Cast {
  private signedInAt = Date.now();
  private invitedTo?: string;

  private constructor(
    readonly app: TestApp,
    public people: Readonly<Record<ActorName, Actor>>,
    /** Whom administrators act upon. */
    readonly victim: Actor,
  ) {}

  static async of(app: TestApp): Promise<Cast> {
    const beginner = await signUp(app, 'prefactor');
    await enrolTotp(app, beginner);
    const preFactor = { ...beginner, token: await halfSignIn(app, beginner) };
    const person = (name: string) => signUp(app, name);
    const [owner, editor, viewer, stranger] = [await person('owner'), await person('editor'), await person('viewer'), await person('stranger')];
    const [exMember, admin, disabled, victim] = [await person('exmember'), await signUpAdministrator(app), await person('disabled'), await person('victim')];
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.userId]);
    // The micro-cache may still know the disabled person from the sign-in.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const nobody = { anonymous: { ...owner, token: '' }, expired: { ...owner, token: expired(app, owner) }, forged: { ...owner, token: forged(owner) } };
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
    if (fresh === 'stale session') await this.makeStale(person);
    return person;
  }

  /** A resource of the owner, with a share for everybody who has one, and none any more for the former member. */
  async stage(): Promise<Stage> {
    const { owner, editor, viewer, exMember, preFactor } = this.people;
    const { id, etag } = await createResource(this.app, owner);
    for (const person of [editor, exMember, preFactor]) await shareWith(this.app, owner, id, person, 'editor');
    await shareWith(this.app, owner, id, viewer, 'viewer');
    await unshare(this.app, owner, id, exMember);
    return { id, etag };
  }

  /** An open invitation of the stranger: another one only when it was answered, and from another person, because both are limited per day. */
  async invitation(): Promise<string> {
    const { stranger } = this.people;
    const open = this.invitedTo === undefined ? undefined : await invitationTo(this.app, stranger, this.invitedTo);
    if (open !== undefined) return open;
    const inviter = await signUp(this.app, 'inviter');
    this.invitedTo = (await createResource(this.app, inviter)).id;
    expect((await invite(this.app, inviter, this.invitedTo, stranger.email)).status).toBe(202);
    return (await invitationTo(this.app, stranger, this.invitedTo)) ?? '';
  }

  /** Somebody else of the same standing, who may be erased. */
  private another(name: ActorName): Promise<Actor> {
    if (outside.has(name) || name === 'preFactor') return this.session(name);
    return name === 'admin' ? signUpAdministrator(this.app) : signUp(this.app, name.toLowerCase());
  }

  /** The same person with another session. */
  private async session(name: ActorName): Promise<Actor> {
    const person = this.people[name];
    if (outside.has(name)) return person;
    return name === 'preFactor' ? { ...person, token: await halfSignIn(this.app, person) } : { ...person, ...(await signIn(this.app, person)) };
  }

  private async makeStale({ token }: Actor): Promise<void> {
    if (token === '') return;
    await this.app.operate(`UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = $1`, [decode(token).payload['sid']]);
  }
}

const forged = ({ token }: Actor): string => `${token.slice(0, -8)}AAAAAAAA`;

/** Signed with the service's own key, so that nothing but the time speaks against it. */
function expired(app: TestApp, { token }: Actor): string {
  const { header, payload } = decode(token);
  const anHourAgo = (claim: string) => Number(payload[claim]) - 60 * 60;
  return es256(genuineKey(app), header, { ...payload, iat: anHourAgo('iat'), exp: anHourAgo('exp') });
}
