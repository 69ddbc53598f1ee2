import { readFileSync } from 'node:fs';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { parseMail, type ReceivedMail } from '../support/mail.js';
import { type CertificateFiles } from '../support/tls-servers.js';
import { freePort } from '../../scripts/free-port.js';

export interface DeliveredMail extends ReceivedMail {
  /** Of the SMTP envelope. */
  readonly recipients: readonly string[];
  readonly overTls: boolean;
}

export interface MailServerOptions {
  readonly certificate: CertificateFiles;
  /** TLS from the first byte; otherwise STARTTLS is offered, unless `withoutTls`. */
  readonly secure?: boolean;
  readonly withoutTls?: boolean;
  readonly host?: string;
  readonly login?: { readonly user: string; readonly pass: string };
}

/** A real SMTP server in this process. */
export class MailServer {
  readonly delivered: DeliveredMail[] = [];
  /** MAIL FROM commands, whatever became of them. */
  attempts = 0;
  /** What DATA is answered with: undefined takes the mail. Gets the raw message. */
  verdict: (message: string) => Promise<string | undefined> | string | undefined = () => undefined;
  private server: SMTPServer | undefined;

  private constructor(
    readonly port: number,
    private readonly options: MailServerOptions,
  ) {}

  static async start(options: MailServerOptions): Promise<MailServer> {
    const server = new MailServer(await freePort(), options);
    await server.listen();
    return server;
  }

  /** Begins again on the same port. */
  async listen(): Promise<void> {
    const { certificate, secure = false, withoutTls = false, host = '127.0.0.1', login } = this.options;
    const tls = withoutTls
      ? { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }
      : { key: readFileSync(certificate.key), cert: readFileSync(certificate.cert) };
    const server = new SMTPServer({
      secure,
      ...tls,
      authOptional: login === undefined,
      closeTimeout: 100,
      ...this.handlers(),
    });
    // A client that refuses the certificate, or goes in the middle.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.port, host, resolve));
    this.server = server;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => (this.server === undefined ? resolve() : this.server.close(resolve)));
  }

  url({ scheme = 'smtps', host = '127.0.0.1', login = '' } = {}): string {
    return `${scheme}://${login}${host}:${this.port}`;
  }

  private handlers(): Partial<SMTPServerOptions> {
    const { login } = this.options;
    return {
      onAuth: ({ username, password }, _session, done) =>
        username === login?.user && password === login?.pass
          ? done(null, { user: username })
          : done(new Error('wrong')),
      onMailFrom: (_address, _session, done) => {
        this.attempts++;
        done();
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', async () => {
          const message = Buffer.concat(chunks).toString();
          const refusal = await this.verdict(message);
          if (refusal !== undefined)
            return done(Object.assign(new Error(refusal.slice(4)), { responseCode: Number(refusal.slice(0, 3)) }));
          const recipients = session.envelope.rcptTo.map(({ address }) => address);
          this.delivered.push({ ...parseMail(message), recipients, overTls: session.secure });
          return done();
        });
      },
    };
  }
}
