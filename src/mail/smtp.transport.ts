import { createTransport } from 'nodemailer';
import { isPlainAddress } from '../common/mail-address.js';
import { linkTls, smtpLink, type Config } from '../config/index.js';
import { MailTransportError, type MailTransport, type WaitingMail } from './mail-transport.js';

/** Nodemailer waits for minutes; the outbox table is the patient one here. */
const timeouts = { dnsTimeout: 5_000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 };

/**
 * Hands mails to the mail server, over verified TLS from the first byte (`smtps`) or by STARTTLS, which is never
 * optional.
 */
export class SmtpTransport implements MailTransport {
  private readonly transporter;

  /** @throws ConfigurationError for a CA file that is none. */
  constructor(
    url: string,
    private readonly config: Config,
  ) {
    const link = smtpLink(url);
    const { host, port, user, password = '', tls } = link;
    this.transporter = createTransport({
      host,
      port,
      secure: link.fromFirstByte,
      // Whoever stands in between strikes STARTTLS from the server's offer, and has the mails (RFC 3207 s6).
      requireTLS: tls,
      ignoreTLS: !tls,
      tls: linkTls('SMTP', link, config.smtpFiles),
      ...(user === undefined ? {} : { auth: { user, pass: password } }),
      name: new URL(config.publicUrl).hostname,
      ...timeouts,
      // It logs the whole dialogue otherwise, tokens included.
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async deliver({ recipient, content }: WaitingMail, signal: AbortSignal): Promise<void> {
    // Nodemailer takes a list of addresses here; nobody but the person may get the mail.
    if (!isPlainAddress(recipient)) throw new MailTransportError('unusable-address', true);
    try {
      await this.transporter.sendMail({
        envelope: { from: this.config.mailFrom, to: [recipient] },
        raw: content,
        signal,
      });
    } catch (error) {
      throw toTransportError(error as SmtpError);
    }
  }
}

interface SmtpError {
  readonly code?: string;
  readonly originalCode?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** The text of the answer stays behind, see MailTransportError. */
function toTransportError({ code = 'unknown', originalCode, responseCode, command }: SmtpError): MailTransportError {
  const words = [code, originalCode, responseCode, command].filter((word) => /^[A-Z0-9_ ]{1,60}$/.test(String(word)));
  // A server that refuses the login, the sender or every client is set up wrongly: that passes, and no mail may be lost
  // by it.
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA';
  return new MailTransportError(words.join(' '), aboutThisMail && responseCode !== undefined && responseCode >= 500);
}
