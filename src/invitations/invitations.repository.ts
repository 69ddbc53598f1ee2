import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import type { Keyset } from '../common/http/cursors.js';
import type { Principal } from '../common/access/principal.js';
import { Database } from '../database/index.js';
import { resourcePolicy, type ShareRole } from '../resources/index.js';
import { invitationLimits } from './invitation.limits.js';

const received = {
  id: true,
  resourceId: true,
  role: true,
  createdAt: true,
  expiresAt: true,
  resource: { select: { title: true } },
} as const;
const sent = { id: true, resourceId: true, email: true, role: true, createdAt: true, expiresAt: true } as const;

/** Where an invitation is found: for its addressee, by the address of the account; for its sender, by the resource. */
export interface Addressed {
  readonly id: string;
  readonly email: string;
}

interface NewInvitation extends Addressed {
  readonly resourceId: string;
  readonly senderId: string;
  readonly addressId: string;
  readonly role: ShareRole;
}

/** An invitation as its addressee sees it. */
export const withTitle = <I extends { resource: { title: string } }>({ resource, ...invitation }: I) => ({
  ...invitation,
  title: resource.title,
});

@Injectable()
export class InvitationsRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * The caller's address, which stays theirs until the transaction ends. To be asked before other rows are locked: an
   * erasure too begins with the person, so that neither waits for the other in a circle.
   */
  async holdAddressOf(principal: Principal): Promise<string | undefined> {
    await this.database.client.$queryRaw`SELECT FROM users WHERE id = ${principal.userId}::uuid FOR SHARE`;
    return this.addressOf(principal);
  }

  async addressOf({ userId }: Principal): Promise<string | undefined> {
    return (await this.database.client.user.findUnique({ where: { id: userId }, select: { email: true } }))?.email;
  }

  list(email: string, { id, order, take }: Keyset) {
    return this.database.client.invitation.findMany({
      where: { ...this.openTo(email), id },
      orderBy: { id: order },
      take,
      select: received,
    });
  }

  find(addressed: Addressed) {
    const where = { ...this.openTo(addressed.email), id: addressed.id };
    return this.database.client.invitation.findFirst({ where, select: { resourceId: true, role: true } });
  }

  /**
   * True for exactly one caller, and only for one who has the address: accepting, declining and revoking exclude each
   * other.
   */
  async take({ id, email }: Addressed): Promise<boolean> {
    return (await this.database.client.invitation.deleteMany({ where: { ...this.openTo(email), id } })).count === 1;
  }

  /** That of the address for the resource, expired or not: there is one at most. */
  findSent(resourceId: string, email: string) {
    return this.database.client.invitation.findFirst({
      where: { resourceId, email },
      select: { id: true, offeredAt: true },
    });
  }

  async create(invitation: NewInvitation): Promise<void> {
    const offeredAt = this.clock.now();
    const data = { ...invitation, offeredAt, createdAt: offeredAt, expiresAt: this.newExpiry() };
    await this.database.client.invitation.create({ data, select: { id: true } });
  }

  async renew(id: string, { role, offeredAt }: { role: ShareRole; offeredAt?: Date }): Promise<void> {
    await this.database.client.invitation.updateMany({
      where: { id },
      data: { role, offeredAt, expiresAt: this.newExpiry() },
    });
  }

  listSent(principal: Principal, resourceId: string) {
    const where = { resourceId, resource: resourcePolicy.share.scope(principal), expiresAt: { gt: this.clock.now() } };
    return this.database.client.invitation.findMany({
      where,
      orderBy: { id: 'desc' },
      take: invitationLimits.openPerResource,
      select: sent,
    });
  }

  async revoke(principal: Principal, resourceId: string, id: string): Promise<boolean> {
    return (
      (
        await this.database.client.invitation.deleteMany({
          where: { id, resourceId, resource: resourcePolicy.share.scope(principal) },
        })
      ).count === 1
    );
  }

  async sweep(): Promise<void> {
    await this.database.client.invitation.deleteMany({
      where: { expiresAt: { lte: this.clock.now() } },
      limit: invitationLimits.sweptAtOnce,
    });
  }

  exportSent(principal: Principal) {
    return this.database.client.invitation.findMany({
      where: { resource: resourcePolicy.share.scope(principal) },
      orderBy: { id: 'desc' },
      select: sent,
    });
  }

  /** Not those to a mailbox that wants none: only their sender sees them, as any others. */
  private openTo(email: string) {
    return { email, expiresAt: { gt: this.clock.now() }, address: { optedOutAt: null } };
  }

  private newExpiry(): Date {
    return new Date(this.clock.now().getTime() + invitationLimits.ttlMs);
  }
}
