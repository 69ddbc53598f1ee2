import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Cursors, type PageQuery } from '../common/http/cursors.js';
import type { AccountEventListView, AuditEventListView, ListAuditEvents } from './audit-events.dto.js';
import { AuditEventsRepository } from './audit-events.repository.js';

@Injectable()
export class AuditEventsService {
  constructor(
    private readonly repository: AuditEventsRepository,
    private readonly cursors: Cursors,
    private readonly events: SecurityEvents,
  ) {}

  /** All events, newest first. That somebody reads them is one, too. */
  async list(
    principal: Principal,
    { action, outcome, actorId, ...page }: ListAuditEvents,
  ): Promise<AuditEventListView> {
    const list = ['audit-events', action ?? '', outcome ?? '', actorId ?? ''];
    const { items, ...cursors } = await this.cursors.page(principal, list, page, (keyset) =>
      this.repository.list({ action, outcome, actorId }, keyset),
    );
    const target = { type: 'audit-trail', id: actorId ?? 'all' };
    this.events.reportLater({
      action: 'sensitive_read',
      outcome: 'success',
      target,
      details: { events: items.length },
    });
    return { ...cursors, items: items.map((item) => ({ ...item, details: detailsOf(item.details) })) };
  }

  /** The events of the caller's account, newest first. */
  async listOwn(principal: Principal, page: PageQuery): Promise<AccountEventListView> {
    const { items, ...cursors } = await this.cursors.page(principal, ['account-events'], page, (keyset) =>
      this.repository.listOf(principal, keyset),
    );
    const own = items.map(({ actorId, network, ...item }) => {
      const byYou = actorId === principal.userId;
      return { ...item, byYou, network: byYou ? network : null, machineId: byYou ? item.machineId : null };
    });
    return { ...cursors, items: own };
  }
}

const detailsOf = (details: unknown) =>
  Object.entries((details ?? {}) as Record<string, unknown>).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
