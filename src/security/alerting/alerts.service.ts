import { Injectable } from '@nestjs/common';
import type { Person } from '../../common/access/principal.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Cursors } from '../../common/http/cursors.js';
import { Problem } from '../../common/http/problem.js';
import { Database } from '../../database/index.js';
import { alertAcknowledged } from './alerts.access.js';
import type { AlertListView, AlertView, ListAlerts } from './alerts.dto.js';
import { AlertsRepository } from './alerts.repository.js';

type Row = NonNullable<Awaited<ReturnType<AlertsRepository['find']>>>;

/** What administrators do with alerts. */
@Injectable()
export class AlertsService {
  constructor(
    private readonly repository: AlertsRepository,
    private readonly cursors: Cursors,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Person, { state, severity, rule, ...page }: ListAlerts): Promise<AlertListView> {
    const name = ['alerts', state ?? '', severity ?? '', rule ?? ''];
    const read = (keyset: Parameters<AlertsRepository['list']>[0]) =>
      this.repository.list(keyset, { state, severity, rule });
    const { items, ...cursors } = await this.cursors.page(principal, name, page, read);
    return { items: items.map(viewOf), ...cursors };
  }

  /** Who was first stays who did it. @throws Problem not-found */
  async acknowledge({ userId }: Person, id: string): Promise<AlertView> {
    return this.database.transaction(async () => {
      if (await this.repository.acknowledge(id, userId)) {
        const target = { type: 'alert', id };
        await this.events.recordInTransaction({ action: alertAcknowledged, outcome: 'success', target });
      }
      const row = await this.repository.find(id);
      if (row === undefined) throw new Problem('not-found');
      return viewOf(row);
    });
  }
}

const viewOf = ({ details, ...row }: Row): AlertView => ({
  ...row,
  details: Object.entries(details as Record<string, unknown>).map(([name, value]) => ({ name, value: String(value) })),
});
