import { Injectable } from '@nestjs/common';
import { ExposedCredentials, type ExposedText } from '../../common/exposed-credentials.js';
import { SessionRepository } from './session.repository.js';
import { SessionTokens } from './session-tokens.js';
import { Sessions } from './sessions.js';

/** Access tokens have three parts, refresh tokens two. */
const pattern = /[\w-]{1,512}\.[\w-]{40,2048}(?:\.[\w-]{40,512})?/g;

/** Ends the session of a token that crossed the wire in clear: whoever listened has it now (practice 1.3). */
@Injectable()
export class ExposedSessions {
  constructor(
    exposed: ExposedCredentials,
    private readonly tokens: SessionTokens,
    private readonly sessions: Sessions,
    private readonly repository: SessionRepository,
  ) {
    exposed.subscribe({ kind: 'sessions', pattern, revoke: (lookAlikes) => this.end(lookAlikes) });
  }

  /** The users whose genuine tokens are in the text, whether or not their sessions are open. */
  async ownersIn(exposed: ExposedText): Promise<string[]> {
    const sessions = await Promise.all(this.sessionsOf(exposed.find(pattern)).map((id) => this.repository.find(id)));
    return [...new Set(sessions.flatMap((session) => session?.userId ?? []))];
  }

  private async end(lookAlikes: readonly string[]): Promise<void> {
    for (const id of this.sessionsOf(lookAlikes)) await this.sessions.end(id, 'credential-in-clear', 'authn_credential_in_clear');
  }

  /** Only of genuine tokens: otherwise anybody could end the sessions of others by sending made-up ones. */
  private sessionsOf(lookAlikes: readonly string[]): string[] {
    return [...new Set(lookAlikes.flatMap((text) => this.tokens.sessionOf(text) ?? []))];
  }
}
