// Threat: a stolen or forgotten session that stays usable (ASVS v5.0.0-V7, RFC 9700 s4.14).
// Does: one row per session; rotating refresh tokens with detection of theft; idle and absolute limits; a list of them, and an
// end at once for each; a cookie for browsers.
// Does not: bind tokens to a key of the client (DPoP).
// Remove: not by itself; every method of authentication begins sessions here.
import { Module } from '@nestjs/common';
import { KnownDevices } from '../../common/known-devices.js';
import { PersonalData } from '../../common/personal-data.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { RefreshCookie } from '../browser/index.js';
import { CredentialChanges } from './credential-changes.js';
import { ExposedSessions } from './exposed-sessions.js';
import { FactorChanges } from './factor-changes.js';
import { FactorProofs } from './factor-proofs.js';
import { OwnSessionRepository } from './own-session.repository.js';
import { OwnSessionsController } from './own-sessions.controller.js';
import { OwnSessions } from './own-sessions.js';
import { PersonLock } from './person-lock.js';
import { RefreshRequests } from './refresh-requests.js';
import { RefreshTokens } from './refresh-tokens.js';
import { Refreshing } from './refreshing.js';
import { SecondFactors } from './second-factors.js';
import { SessionTokens } from './session-tokens.js';
import { SessionRepository } from './session.repository.js';
import { SessionsController } from './sessions.controller.js';
import { Sessions } from './sessions.js';
import { SignIns } from './sign-ins.js';
import { SignOuts } from './sign-outs.js';

@Module({
  imports: [AuthenticationModule],
  controllers: [SessionsController, OwnSessionsController],
  providers: [
    KnownDevices,
    SignIns,
    Sessions,
    CredentialChanges,
    SecondFactors,
    FactorChanges,
    FactorProofs,
    PersonLock,
    SessionTokens,
    Refreshing,
    RefreshTokens,
    SessionRepository,
    ExposedSessions,
    RefreshCookie,
    RefreshRequests,
    SignOuts,
    OwnSessions,
    OwnSessionRepository,
  ],
  exports: [SignIns, Sessions, CredentialChanges, SecondFactors, FactorChanges, FactorProofs, PersonLock, ExposedSessions],
})
export class SessionsModule {
  constructor(personalData: PersonalData, sessions: OwnSessionRepository) {
    personalData.add('sessions', ({ userId }) => sessions.listAll(userId));
  }
}
