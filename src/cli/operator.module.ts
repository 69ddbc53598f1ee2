import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { type KeyRing } from '@nestjs-secure-template/field-encryption';
import { CommonModule } from '../common/common.module.js';
import { ConfigModule, type Config } from '../config/index.js';
import { DatabaseModule, type Database } from '../database/index.js';
import { MailQueueModule } from '../mail/index.js';
import { DataProtectionModule } from '../security/data-protection/index.js';
import { SharedStateModule } from '../shared-state/index.js';

interface Foundations {
  readonly config: Config;
  readonly keyRing: KeyRing;
  readonly database: Database;
}

/** The parts of the application that commands need: the same services, without a listener. */
@Module({})
export class OperatorModule {
  /** @param serving the modules with `@ServesCommands`. */
  static with({ config, keyRing, database }: Foundations, serving: readonly Type[]): DynamicModule {
    return {
      module: OperatorModule,
      imports: [
        ConfigModule.with(config),
        CommonModule.with(),
        DatabaseModule.with(database),
        SharedStateModule,
        MailQueueModule,
        DataProtectionModule.with(keyRing),
        ...serving,
      ],
    };
  }
}
