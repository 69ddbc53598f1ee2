import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { type KeyRing } from '@nestjs-secure-template/field-encryption';
import { ApiDocsModule } from './api-docs/index.js';
import { AuditEventsModule } from './audit-events/index.js';
import {
  AdministrationModule,
  ApiKeysModule,
  AuthenticationModule,
  BreachedPasswordsModule,
  BrowserModule,
  ClientsModule,
  EmailChangeModule,
  MtlsModule,
  NoticesModule,
  OidcModule,
  PasskeysModule,
  OidcPageModule,
  PasskeysPageModule,
  PasswordModule,
  RecoveryCodesModule,
  RecoveryModule,
  RegistrationModule,
  SessionsModule,
  TotpModule,
} from './auth/index.js';
import type { Clock } from './common/clock.js';
import { CommonModule } from './common/common.module.js';
import type { RequestCounter } from './common/http/request-counter.js';
import { ConfigModule, type Config } from './config/index.js';
import { DatabaseModule, type Database } from './database/index.js';
import { EgressModule } from './egress/index.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { IdempotencyModule } from './idempotency/index.js';
import { InvitationsModule } from './invitations/index.js';
import { MailModule } from './mail/index.js';
import { ResourcesModule, ResourcesPageModule } from './resources/index.js';
import { AlertingModule } from './security/alerting/alerting.module.js';
import { SecurityConsoleModule } from './security-console/index.js';
import { AuditModule } from './security/audit/audit.module.js';
import { AuditSealsModule } from './security/audit/audit-seals/audit-seals.module.js';
import { AuthorizationModule } from './security/authorization/authorization.module.js';
import { DataProtectionModule } from './security/data-protection/index.js';
import { DetectionModule } from './security/detection/detection.module.js';
import { ErrorsModule } from './security/errors/index.js';
import { HeadersModule } from './security/headers/headers.module.js';
import { LoadSheddingModule } from './security/load-shedding/load-shedding.module.js';
import { LoggingModule } from './security/logging/logging.module.js';
import { CallerLimitsModule, NetworkLimitsModule } from './security/rate-limiting/rate-limiting.module.js';
import { ResponseModule } from './security/response/response.module.js';
import { MetricsModule } from './security/metrics/metrics.module.js';
import { TelemetryModule } from './security/telemetry/telemetry.module.js';
import { TransportModule } from './security/transport/index.js';
import { UnsentAnswersModule } from './security/unsent-answers/unsent-answers.module.js';
import { ValidationModule } from './security/validation/validation.module.js';
import { SharedStateModule } from './shared-state/index.js';
import { UsersModule } from './users/index.js';
import { WebhooksModule } from './webhooks/index.js';

/** What is opened before Nest starts, because a fault in it must stop the boot with its own line. */
export interface Foundations {
  readonly config: Config;
  readonly keyRing: KeyRing;
  readonly database: Database;
  readonly clock?: Clock;
  /** Shared with the listener's own errors, which arise outside of Nest. */
  readonly counter?: RequestCounter;
  /** Further features, after all others. */
  readonly modules?: readonly (Type | DynamicModule)[];
}

/** How people sign in, one line per method; and who looks after their accounts. */
const signIn = [
  SessionsModule,
  BrowserModule,
  RegistrationModule,
  PasswordModule,
  BreachedPasswordsModule,
  RecoveryModule,
  EmailChangeModule,
  TotpModule,
  RecoveryCodesModule,
  PasskeysModule,
  OidcModule,
  NoticesModule,
  AdministrationModule,
];

/** How programs call, one line per method. */
const machines: Type[] = [MtlsModule, ApiKeysModule, ClientsModule];

/** What the service is about. */
const features = [
  UsersModule,
  AuditEventsModule,
  SecurityConsoleModule,
  ResourcesModule,
  InvitationsModule,
  // Yours below.
];

/**
 * THE TABLE. Foundations first; then the practices in the order in which a request meets them, which is also the order
 * in which their hooks and global guards run (test/app.module.test.ts observes it); then the features. To remove a
 * practice, delete its folder and its line.
 */
@Module({})
export class AppModule {
  static with({ config, keyRing, database, clock, counter, modules = [] }: Foundations): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        CommonModule.with(clock, counter),
        DatabaseModule.with(database),
        SharedStateModule,
        IdempotencyModule,
        WebhooksModule,
        MailModule,
        EgressModule,

        LoggingModule,
        MetricsModule,
        TelemetryModule,
        TransportModule,
        GatewayModule,
        HeadersModule,
        ResponseModule,
        NetworkLimitsModule,
        AuthenticationModule,
        LoadSheddingModule,
        CallerLimitsModule,
        AuthorizationModule,
        ValidationModule,
        UnsentAnswersModule,
        ErrorsModule,
        DataProtectionModule.with(keyRing),
        AuditModule,
        AuditSealsModule,
        DetectionModule,
        AlertingModule,

        ...signIn,
        ...machines,
        ...features,
        ...(config.apiDocs ? [ApiDocsModule, OidcPageModule, PasskeysPageModule, ResourcesPageModule] : []),
        ...modules,
      ],
    };
  }
}
