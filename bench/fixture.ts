import type { Person } from '../src/common/access/principal.js';

/** The one user of every app, in clear text. */
export const person = { email: 'bench@example.org', name: 'Bench Mark', phone: '+441632960961' } as const;

/** How many resources that user has before the measurements begin. */
export const resourceCount = 200;

/** So many that no measurement comes near; the service gets there by RATE_LIMIT_SCALE. */
export const ownerQuota = 100_000_000;

/** What every resource looks like, the seeded and the measured ones: a page costs the same in every round. */
export const resource = {
  title: 'Minutes of the weekly meeting',
  body: 'We met, we talked, and we decided to meet again. '.repeat(4),
  visibility: 'private',
  note: 'Only for us: the next meeting is at my place, the key is under the mat.',
} as const;

/** What the bare and the textbook app are told about their caller, as JSON in the variable BENCH_CALLER. */
export interface Caller {
  readonly userId: string;
  readonly sessionId: string;
  /** PEM of the key that checks the caller's token. */
  readonly publicKey: string;
  readonly issuer: string;
}

export const callerVariable = 'BENCH_CALLER';

/** Somebody who is signed in by password. */
export const signedIn = ({ userId, sessionId }: Pick<Person, 'userId' | 'sessionId'>): Person => ({
  kind: 'person',
  userId,
  sessionId,
  roles: ['user'],
  authenticatedAt: new Date(),
  factorDue: false,
  enrolmentDue: false,
  inBrowser: false,
  methods: ['pwd'],
});
