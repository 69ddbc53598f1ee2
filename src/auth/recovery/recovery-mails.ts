import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { Mailer } from '../../mail/index.js';

/** The mails of a recovery. Addresses in them come from the configuration, never from a request (abuse case A2-5). */
@Injectable()
export class RecoveryMails {
  constructor(
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The token stands in a body, not in a link: query strings end up in logs and histories (ASVS v5.0.0-14.2.1). */
  sendToken(to: string, token: string): Promise<void> {
    const { publicUrl } = this.config;
    return this.mailer.send({
      to,
      subject: 'Set a new password',
      body: [
        `Somebody, probably you, forgot the password of this address at ${publicUrl}. To set a new one, send it with this token within 15 minutes:`,
        { code: token },
        { code: `POST ${publicUrl}/v1/auth/password/reset\n{ "token": "<the token>", "password": "<at least 15 characters>" }` },
        'You will be signed out everywhere. Only the newest of these mails counts. If it was not you, do nothing: your password stays.',
      ],
    });
  }

  /** Sent all the same: no answer, and no time that one takes, may tell who has an account (ASVS v5.0.0-6.3.8). */
  sendNoAccount(to: string): Promise<void> {
    const { publicUrl } = this.config;
    return this.mailer.send({
      to,
      subject: 'You have no account',
      body: [
        `Somebody, probably you, forgot a password at ${publicUrl}. This address has no account there that could be signed in to. Perhaps you used another address; or register:`,
        { code: `POST ${publicUrl}/v1/auth/register\n{ "email": "<this address>" }` },
        'If it was not you, do nothing: whoever asked was not told that there is no account.',
      ],
    });
  }
}
