import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { Mailer, type Mail } from '../../mail/index.js';

/** The mails of a change of address. Neither repeats the other address: whoever reads one mailbox need not learn the other. */
@Injectable()
export class EmailChangeMails {
  constructor(
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  sendToOld(to: string, token: string): Promise<void> {
    const intro = `Somebody who is signed in to your account at ${this.config.publicUrl}, probably you, wants to give it another address. To agree, send this token within 2 hours:`;
    const outro = 'The other address has to agree too. If it was not you, do not send it, and change your password: somebody else may know it.';
    return this.send(to, 'Confirm that your address changes', intro, token, outro);
  }

  sendToNew(to: string, token: string): Promise<void> {
    const intro = `Somebody, probably you, wants to use this address for an account at ${this.config.publicUrl}. To agree, send this token within 2 hours:`;
    return this.send(to, 'Confirm your new address', intro, token, 'The present address has to agree too. If it was not you, do nothing.');
  }

  /** Instead of the token: the answer to the request does not tell that the address has an account, its owner may know. */
  sendTaken(to: string): Promise<void> {
    const { publicUrl } = this.config;
    const body = [
      `Somebody wanted to use this address for another account at ${publicUrl}. It has an account there already, so nothing is going to change.`,
      'If it was you: an address belongs to one account. Sign in to the one that has it, or choose another address.',
    ];
    return this.mailer.send({ to, subject: 'This address has an account already', body });
  }

  sendNotDone(toOld: string): Promise<void> {
    const body = [`The address of your account at ${this.config.publicUrl} was not changed: the new address could not be used. Everything is as it was.`];
    return this.mailer.send({ to: toOld, subject: 'Your address was not changed', body });
  }

  private send(to: string, subject: string, intro: string, token: string, outro: string): Promise<void> {
    const request = `POST ${this.config.publicUrl}/v1/auth/email/confirm\n{ "token": "<the token>" }`;
    const mail: Mail = { to, subject, body: [intro, { code: token }, { code: request }, outro] };
    return this.mailer.send(mail);
  }
}
