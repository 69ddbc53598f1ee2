import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import type { Keyset } from '../common/http/cursors.js';
import { Database } from '../database/index.js';
import type { ListAuditEvents } from './audit-events.dto.js';

type Filters = Pick<ListAuditEvents, 'action' | 'outcome' | 'actorId'>;

@Injectable()
export class AuditEventsRepository {
  constructor(private readonly database: Database) {}

  list({ action, outcome, actorId }: Filters, { id, order, take }: Keyset) {
    const omit = { macKeyId: true, mac: true } as const;
    const where = { id, action, outcome, actorId };
    return this.database.client.auditEvent.findMany({ where, orderBy: { id: order }, take, omit });
  }

  /** What the caller did, and what was done to their account. */
  listOf({ userId }: Principal, { id, order, take }: Keyset) {
    const ofAccount = [{ actorId: userId }, { targetType: 'user', targetId: userId }];
    return this.database.client.auditEvent.findMany({
      where: { id, OR: ofAccount },
      orderBy: { id: order },
      take,
      select: { id: true, at: true, action: true, outcome: true, actorId: true, network: true, machineId: true },
    });
  }
}
