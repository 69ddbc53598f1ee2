import { Injectable, Logger } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { SessionTokens } from './session-tokens.js';
import { Sessions } from './sessions.js';

/** Ends the session of a token that crossed the wire in clear: whoever listened has it now (practice 1.3). */
@Injectable()
export class ExposedSessions {
  private readonly logger = new Logger('ExposedSessions');

  constructor(
    exposed: ExposedCredentials,
    private readonly tokens: SessionTokens,
    private readonly sessions: Sessions,
  ) {
    exposed.subscribe((credential) => {
      this.end(credential).catch((error: unknown) => this.logger.error('a session that was exposed could not be ended', error));
    });
  }

  /** Only for a genuine token: otherwise anybody could end the sessions of others by sending made-up ones. */
  private async end(credential: string): Promise<void> {
    const sessionId = this.tokens.sessionOf(credential);
    if (sessionId !== undefined) await this.sessions.end(sessionId, 'credential-in-clear', 'authn_credential_in_clear');
  }
}
