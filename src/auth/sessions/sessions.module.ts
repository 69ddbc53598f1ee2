// Threat: a stolen or forgotten session that stays usable (ASVS v5.0.0-V7, RFC 9700 s4.14).
// Does: one row per session; rotating refresh tokens with detection of theft; idle and absolute limits; a list of them,
// and an end at once for each; a cookie for browsers.
// Does not: bind tokens to a key of the client (DPoP).
// Remove: not by itself; every method of authentication begins sessions here.
import { Module } from '@nestjs/common';
import { ExposedCredentials } from '../../common/access/exposed-credentials.js';
import { KnownDevices } from '../../common/access/known-devices.js';
import { PersonalData } from '../../common/events/personal-data.js';
import { UsersModule } from '../../users/index.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { FactorsService } from '../factors/factors.service.js';
import { SecondFactors } from '../factors/second-factors.js';
import { SessionTokens } from './session-tokens.js';
import { SessionRepository } from './session.repository.js';
import { OwnSessionsController, SessionsController } from './sessions.controller.js';
import { sessionsSection } from './sessions.export.js';
import { SessionsService, tokenPattern } from './sessions.service.js';

@Module({
  imports: [AuthenticationModule, UsersModule],
  controllers: [SessionsController, OwnSessionsController],
  providers: [FactorsService, KnownDevices, SecondFactors, SessionTokens, SessionsService],
  exports: [FactorsService, KnownDevices, SecondFactors, SessionTokens, SessionsService],
})
export class SessionsModule {
  constructor(
    personalData: PersonalData,
    exposed: ExposedCredentials,
    repository: SessionRepository,
    sessions: SessionsService,
  ) {
    personalData.add(sessionsSection, ({ userId }) => repository.listAll(userId));
    exposed.subscribe({
      kind: 'sessions',
      pattern: tokenPattern,
      revoke: (lookAlikes) => sessions.endExposed(lookAlikes),
    });
  }
}
