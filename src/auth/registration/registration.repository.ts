import { Injectable } from '@nestjs/common';
import { AuthoritySeals } from '../../common/authority-seals.js';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';

/** Long enough to find the mail, short enough that an open mailbox of later is no way in (ASVS v5.0.0-6.4.1). */
const tokenTtlMs = 30 * 60 * 1000;
const sweptAtOnce = 50;

/** Somebody who wants an account. The id becomes the user's. */
export interface Applicant {
  readonly id: string;
  readonly email: string;
}

@Injectable()
export class RegistrationRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly seals: AuthoritySeals,
  ) {}

  async hasAccount(email: string): Promise<boolean> {
    return (await this.database.client.user.findFirst({ where: { email }, select: { id: true } })) !== null;
  }

  /** The newest registration of an address is the only one: an older token dies with its row (ASVS v5.0.0-6.6.2). */
  async replace(applicant: Applicant, tokenMac: string): Promise<void> {
    await this.deleteByEmail(applicant.email);
    await this.database.client.registration.create({ data: { ...applicant, tokenMac, expiresAt: this.newExpiry() } });
  }

  /** The open registration of an address; reads no sealed cell, so that it costs the same whether or not there is one. */
  async findOpenId(email: string): Promise<string | undefined> {
    const where = { email, expiresAt: { gt: this.clock.now() } };
    return (await this.database.client.registration.findFirst({ where, orderBy: { id: 'desc' }, select: { id: true } }))?.id;
  }

  /** Another token for a registration, which lives anew; the older token is worth nothing. Changes nothing for an unknown id. */
  async renew(id: string, tokenMac: string): Promise<void> {
    await this.database.client.registration.updateMany({ where: { id }, data: { tokenMac, expiresAt: this.newExpiry() } });
  }

  findOpen(id: string): Promise<(Applicant & { tokenMac: string }) | null> {
    return this.database.client.registration.findFirst({
      where: { id, expiresAt: { gt: this.clock.now() } },
      select: { id: true, email: true, tokenMac: true },
    });
  }

  /** True for exactly one caller, however many present the token at once, and for none whose token was replaced meanwhile. */
  async consume(id: string, tokenMac: string): Promise<boolean> {
    const { count } = await this.database.client.registration.deleteMany({ where: { id, tokenMac } });
    return count === 1;
  }

  async deleteByEmail(email: string): Promise<void> {
    await this.database.client.registration.deleteMany({ where: { email } });
  }

  /** Personal data of people who never came back is not kept; bounded, because somebody waits for the answer. */
  async sweep(): Promise<void> {
    await this.database.client.registration.deleteMany({ where: { expiresAt: { lte: this.clock.now() } }, limit: sweptAtOnce });
  }

  async createUser({ id, email, name }: Applicant & { name: string }): Promise<void> {
    const standing = { id, roles: ['user'] as const, status: 'active', secondFactors: [] };
    const authorityMac = this.seals.ofStanding(standing);
    await this.database.client.user.create({ data: { ...standing, email, name, roles: [...standing.roles], authorityMac }, select: { id: true } });
  }

  private newExpiry(): Date {
    return new Date(this.clock.now().getTime() + tokenTtlMs);
  }
}
