import { Injectable } from '@nestjs/common';
import { Macs } from '../macs.js';
import { user, type Role } from './permissions.js';
import { SecurityEvents } from '../events/security-events.js';

/** What an account may do, as its row says it. */
export interface AccountStatus {
  readonly id: string;
  readonly roles: readonly Role[];
  readonly status: string;
  /** Which second factors have to be there. */
  readonly secondFactors: readonly string[];
}

/** What a session allows, and to whom. */
export interface SessionAuthority {
  readonly id: string;
  readonly userId: string;
  readonly authenticatedAt: Date;
  readonly methods: readonly string[];
  readonly factorDue: boolean;
  readonly enrolmentDue: boolean;
  readonly inBrowser: boolean;
  readonly expiresAt: Date;
}

/** As it was read, with the seal that was beside it. */
export type Sealed<Row> = Row & { readonly authorityMac: string | null };

/** The columns that are read to check, or to renew, the seal of an account. */
export const sealedAccount = { id: true, roles: true, status: true, secondFactors: true, authorityMac: true } as const;

/** The same of a session. */
export const sealedSession = {
  id: true,
  userId: true,
  authenticatedAt: true,
  methods: true,
  factorDue: true,
  enrolmentDue: true,
  inBrowser: true,
  expiresAt: true,
  authorityMac: true,
} as const;

const purpose = 'authority';

/**
 * Seals over the columns that authority rests on. Whoever writes to the database, and has not the key ring, could else
 * make any account an administrator, or any session somebody else's, by one UPDATE. An older row that is put back with
 * its older seal is not seen (docs/practices/database-writers.md).
 */
@Injectable()
export class AuthoritySeals {
  constructor(
    private readonly macs: Macs,
    private readonly events: SecurityEvents,
  ) {}

  ofAccount(account: AccountStatus): string {
    return this.seal(partsOfAccount(account));
  }

  ofSession(session: SessionAuthority): string {
    return this.seal(partsOfSession(session));
  }

  /** False for a row that somebody changed past the service, which is then reported. */
  isWholeSession(session: Sealed<SessionAuthority>): boolean {
    return this.isWhole(partsOfSession(session), session.authorityMac) || this.report('Session', session.id);
  }

  /** The same for an account. */
  isWholeAccount(account: Sealed<AccountStatus>): boolean {
    return this.isWhole(partsOfAccount(account), account.authorityMac) || this.report('User', account.id);
  }

  /**
   * The account as its row says it, or, where the seal is broken, one that may do nothing until an administrator says
   * anew what it may.
   */
  trusted(account: Sealed<AccountStatus>): AccountStatus {
    const { id, secondFactors } = account;
    return this.isWholeAccount(account) ? account : { id, roles: [user], status: 'disabled', secondFactors };
  }

  /**
   * The tables of a person's second factors do not say what the sealed account says: always an attack, or rows that
   * were lost.
   */
  reportMissingFactor(userId: string): void {
    this.report('User', userId, 'second-factors');
  }

  private seal(parts: readonly string[]): string {
    const { keyId, mac } = this.macs.sign(purpose, parts);
    return `${keyId}.${mac.toString('base64url')}`;
  }

  private isWhole(parts: readonly string[], seal: string | null): boolean {
    if (seal === null) return false;
    const dot = seal.lastIndexOf('.');
    return this.macs.verify(purpose, seal.slice(0, dot), parts, Buffer.from(seal.slice(dot + 1), 'base64url'));
  }

  private report(type: 'User' | 'Session', id: string, code = 'broken-seal'): false {
    this.events.reportLater({
      action: 'crypt_decrypt_fail',
      outcome: 'failure',
      target: { type, id },
      details: { field: 'authorityMac', code },
    });
    return false;
  }
}

/** The id is part of it: the seal of one row is none in another. */
const partsOfAccount = ({ id, roles, status, secondFactors }: AccountStatus): string[] => [
  'users',
  id,
  JSON.stringify(roles),
  status,
  JSON.stringify([...secondFactors].toSorted()),
];

const partsOfSession = (session: SessionAuthority): string[] => [
  'sessions',
  session.id,
  session.userId,
  String(session.authenticatedAt.getTime()),
  JSON.stringify(session.methods),
  JSON.stringify([session.factorDue, session.enrolmentDue, session.inBrowser]),
  String(session.expiresAt.getTime()),
];
