// Remove: not by itself; the rows of all others are there.
import { Global, Logger, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HealthChecks } from '../common/health-checks.js';
import { Measures } from '../common/events/measures.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Database } from './database.js';

@Global()
@Module({})
export class DatabaseModule implements OnModuleInit {
  constructor(
    private readonly database: Database,
    events: SecurityEvents,
    health: HealthChecks,
    measures: Measures,
  ) {
    measures.add({
      name: 'database_connections',
      help: 'The connection pool: all connections (total), those in no use (idle), and requests that wait (waiting).',
      labels: ['state'],
      read: () => Object.entries(database.load).map(([state, value]) => ({ labels: { state }, value })),
    });
    health.add('database', () => database.check());
    // A cell that does not open is an attack on the stored data, or a lost key: both must be seen at once.
    database.onFieldFault(({ model, field, rowId, code }) =>
      events.reportLater({
        action: 'crypt_decrypt_fail',
        outcome: 'failure',
        target: { type: model, id: rowId ?? 'unknown' },
        details: { field: field ?? 'unknown', code },
      }),
    );
  }

  onModuleInit(): void {
    for (const warning of this.database.warnings) new Logger('Database').warn(`production would refuse: ${warning}`);
  }

  static with(database: Database): DynamicModule {
    return { module: DatabaseModule, providers: [{ provide: Database, useValue: database }], exports: [Database] };
  }
}
