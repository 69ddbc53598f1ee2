import { Injectable } from '@nestjs/common';
import { ExposedCredentials, type ExposedText } from '../../common/exposed-credentials.js';
import { ExposedSessions } from '../sessions/index.js';
import { RecoveryCodes } from './recovery-codes.js';

/** As people type them: with hyphens anywhere or nowhere. */
const pattern = /(?<![\w-])[0-9a-z](?:-?[0-9a-z]){24}(?![\w-])/gi;

/**
 * A code that crossed the wire in clear is used up (practice 1.3). It is a sealed hash of one person: without a token of theirs beside it
 * nobody can tell whose it is. That is how the service itself is sent one.
 */
@Injectable()
export class ExposedRecoveryCodes {
  constructor(
    exposed: ExposedCredentials,
    private readonly sessions: ExposedSessions,
    private readonly codes: RecoveryCodes,
  ) {
    const kind = 'recovery codes that came with an access token';
    exposed.subscribe({ kind, pattern, revoke: (lookAlikes, text) => this.revoke(lookAlikes, text) });
  }

  private async revoke(lookAlikes: readonly string[], text: ExposedText): Promise<void> {
    for (const userId of await this.sessions.ownersIn(text)) await this.codes.revoke(userId, lookAlikes);
  }
}
