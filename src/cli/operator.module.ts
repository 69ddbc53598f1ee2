import { Module, type DynamicModule } from '@nestjs/common';
import { AdministrationCommandsModule, NoticesModule, SigningKeyRotationModule } from '../auth/index.js';
import { CommonModule } from '../common/common.module.js';
import { ConfigModule, type Config } from '../config/index.js';
import { DatabaseModule, type Database } from '../database/index.js';
import { MailQueueModule } from '../mail/index.js';
import { AuditModule } from '../security/audit/audit.module.js';
import { DataProtectionModule, type KeyRing } from '../security/data-protection/index.js';
import { SharedStateModule } from '../shared-state/index.js';
import { UsersModule } from '../users/index.js';

/** The parts of the application that commands need: the same services, without a listener. */
@Module({})
export class OperatorModule {
  static with({ config, keyRing, database }: { config: Config; keyRing: KeyRing; database: Database }): DynamicModule {
    return {
      module: OperatorModule,
      imports: [
        ConfigModule.with(config),
        CommonModule.with(),
        DatabaseModule.with(database),
        SharedStateModule,
        MailQueueModule,
        DataProtectionModule.with(keyRing),
        AuditModule,
        NoticesModule,
        UsersModule,
        AdministrationCommandsModule,
        SigningKeyRotationModule,
      ],
    };
  }
}
