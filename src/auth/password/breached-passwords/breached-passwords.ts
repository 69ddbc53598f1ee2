import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { Egress, type EgressClient } from '../../../egress/index.js';
import { breachedPasswordsSettings } from './breached-passwords.settings.js';

/** So many hexadecimal digits of the SHA-1 leave the service: about two million passwords of the list share them. */
const prefixDigits = 5;
const limits = { milliseconds: 2_000, bytes: 256 * 1024 };
const answerFormat = /^(?:[0-9A-F]{35}:\d{1,12}(?:\r?\n|$))+$/;

/**
 * Asks a list of breached passwords by k-anonymity, as Have I Been Pwned defines it (ASVS v5.0.0-6.2.12). SHA-1 is the
 * index of that list, and protects nothing here.
 */
@Injectable()
export class BreachedPasswords {
  private readonly logger = new Logger('BreachedPasswords');
  private readonly url: string | undefined;

  private readonly list: EgressClient;

  constructor(egress: Egress, @Inject(CONFIG) config: Config) {
    this.url = config.of(breachedPasswordsSettings).BREACHED_PASSWORDS_URL;
    const origins = this.url === undefined ? [] : [this.url];
    this.list = egress.for({ origins, variable: 'BREACHED_PASSWORDS_URL' });
  }

  /**
   * False when the list is switched off or does not answer: the offline check has been passed, and people must be able
   * to go on.
   */
  async has(password: string): Promise<boolean> {
    if (this.url === undefined) return false;
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase();
    try {
      return await this.ask(this.url, digest);
    } catch (error) {
      this.logger.warn('the list of breached passwords could not be asked: only the offline check applies', error);
      return false;
    }
  }

  private async ask(origin: string, digest: string): Promise<boolean> {
    // Padding: without it, the length of the encrypted answer tells the prefix.
    const headers = { 'add-padding': 'true' };
    const url = `${origin}/range/${digest.slice(0, prefixDigits)}`;
    const { status, body } = await this.list.get(url, { headers, ...limits });
    const text = body.toString('utf8');
    if (status !== 200 || !answerFormat.test(text)) throw new Error(`the answer, of status ${status}, is no list`);
    const line = text.split(/\r?\n/).find((entry) => entry.startsWith(`${digest.slice(prefixDigits)}:`));
    // Entries of padding have the count 0.
    return line !== undefined && Number(line.split(':')[1]) > 0;
  }
}
