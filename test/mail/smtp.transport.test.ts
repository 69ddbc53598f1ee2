import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, readConfig } from '../../src/config/index.js';
import { MailTransportError } from '../../src/mail/mail-transport.js';
import { SmtpTransport } from '../../src/mail/smtp.transport.js';
import { production } from '../config/production.js';
import { Authority, serverNames, type CertificateFiles } from '../support/tls-servers.js';
import { MailServer, type MailServerOptions } from './mail-server.js';

const login = { user: 'app', pass: 'canary-9Tq2Lw' };
const message = 'From: a@example.org\r\nTo: b@example.org\r\nSubject: Token\r\n\r\ncanary-token-77\r\n';

/** The faults that the boot finds in the settings of mail, none of which may repeat a secret. */
function faults(settings: Record<string, string>): readonly string[] {
  try {
    readConfig(settings);
    return [];
  } catch (error) {
    expect((error as Error).message).not.toContain('canary');
    return (error as ConfigurationError).faults;
  }
}

describe('the link to the mail server [practice 7.1] [ASVS 12.3.1] [ASVS 12.3.2]', () => {
  let authority: Authority;
  let certificate: CertificateFiles;
  const servers: MailServer[] = [];

  beforeAll(async () => {
    authority = await Authority.create();
    certificate = await authority.issue('mail', serverNames);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  afterAll(() => authority.remove());

  const serve = async (options: Omit<MailServerOptions, 'certificate'> & { certificate?: CertificateFiles } = {}) => {
    const server = await MailServer.start({ certificate, ...options });
    servers.push(server);
    return server;
  };
  const deliver = (url: string, { recipient = 'b@example.org', publicAuthorities = false } = {}) => {
    const config = readConfig({ SMTP_URL: url, ...(publicAuthorities ? {} : { SMTP_CA_FILE: authority.caFile }) });
    return new SmtpTransport(url, config).deliver(
      { id: 'x', recipient, content: message },
      AbortSignal.timeout(10_000),
    );
  };

  it.each([
    ['smtps', true],
    ['smtp', false],
  ] as const)('%s with an honest certificate: delivered over TLS, with the login', async (scheme, secure) => {
    const server = await serve({ secure, login });
    await deliver(server.url({ scheme, login: `app:${login.pass}@` }));
    expect(server.delivered).toMatchObject([{ recipients: ['b@example.org'], overTls: true, subject: 'Token' }]);
  });

  it.each([
    ['a certificate of another CA', {}, { publicAuthorities: true }],
    ['a certificate for another name', { host: '127.0.0.2' }, {}],
  ])('%s, with TLS from the first byte or by STARTTLS: refused, and no mail is begun', async (_, where, trust) => {
    for (const [scheme, secure] of [
      ['smtps', true],
      ['smtp', false],
    ] as const) {
      const server = await serve({ secure, ...where });
      await expect(deliver(server.url({ scheme, ...where }), trust)).rejects.toThrow(
        /did not take a mail: (ESOCKET|ETLS|ECONNECTION)/,
      );
      expect(server.attempts).toBe(0);
    }
  });

  it('strikes STARTTLS from what the server offers: no login, no mail in clear (RFC 3207 s6)', async () => {
    const server = await serve({ withoutTls: true });
    await expect(deliver(server.url({ scheme: 'smtp' }))).rejects.toThrow(/did not take a mail: ETLS/);
    expect([server.attempts, server.delivered]).toEqual([0, []]);
  });

  it('in clear to this machine, when that was asked for', async () => {
    const server = await serve({ withoutTls: true });
    await deliver(`${server.url({ scheme: 'smtp' })}?starttls=never`, { publicAuthorities: true });
    expect(server.delivered).toMatchObject([{ overTls: false }]);
  });

  it.each([
    'smtp://mail.canary.example?starttls=never',
    'smtp://10.0.0.7?starttls=never',
    'smtp://127.0.0.1.canary.example?starttls=never',
  ])('%s would go in clear over a network: refused in development too', (url) => {
    expect(faults({ SMTP_URL: url })).toEqual([expect.stringMatching(/^SMTP_URL: set no starttls=never/)]);
    expect(faults({ ...production, SMTP_URL: url, ALLOW_CLEARTEXT_LINKS: 'database,redis' })).toHaveLength(1);
  });

  it.each([
    'http://canary.example',
    'smtps://canary.example/x',
    'smtps://canary.example?starttls=never',
    'smtp://canary.example?tls=false',
    'smtp://a:canary%zz@x.example',
  ])('%s: refused', (url) => expect(faults({ SMTP_URL: url })).toEqual([expect.stringMatching(/^SMTP_URL: set /)]));

  it('a password that everybody tries: refused in production; a server without login starts [ASVS 13.2.3]', () => {
    expect(faults({ ...production, SMTP_URL: 'smtps://app:changeme@mail.canary.example' })).toEqual([
      expect.stringMatching(/^SMTP_URL: the password/),
    ]);
    expect(faults({ ...production, SMTP_URL: 'smtps://mail.canary.example' })).toEqual([]);
    expect(faults({ ...production, SMTP_URL: 'smtp://app:canary-long-and-random@mail.canary.example' })).toEqual([]);
  });

  it.each(['canary', 'Canary <a@canary.example>', 'a@canary.example\r\nBcc: b@c', 'a@x,b@y'])(
    'MAIL_FROM %j: refused [ASVS 1.3.11]',
    (sender) => {
      expect(faults({ MAIL_FROM: sender })).toEqual([expect.stringMatching(/^MAIL_FROM: set one plain/)]);
    },
  );

  it('the sender is no-reply at the public host, and has to be set where that is no name', () => {
    expect(readConfig({ PUBLIC_URL: 'https://api.example.org' }).mailFrom).toBe('no-reply@api.example.org');
    expect(faults({ PUBLIC_URL: 'https://[::1]:8443' })).toEqual([expect.stringMatching(/^MAIL_FROM: set/)]);
  });

  it('a CA file that is none stops the boot', () => {
    const config = readConfig({ SMTP_URL: 'smtps://mail.example.org', SMTP_CA_FILE: certificate.key });
    expect(() => new SmtpTransport('smtps://mail.example.org', config)).toThrow(/SMTP_CA_FILE: set a PEM file/);
  });

  it.each(['b@example.org>\r\nRCPT TO:<victim@example.org', 'b@example.org\nDATA', '<b@example.org> SIZE=1'])(
    'puts SMTP commands into a recipient (%j): nobody else gets the mail [ASVS 1.3.11]',
    async (recipient) => {
      const server = await serve({ secure: true });
      await deliver(server.url(), { recipient }).catch(() => undefined);
      expect(server.delivered.flatMap(({ recipients }) => recipients).filter((one) => one.includes('victim'))).toEqual(
        [],
      );
      expect(server.delivered.flatMap(({ recipients }) => recipients).length).toBeLessThanOrEqual(1);
    },
  );

  it.each([
    ['550 canary-token-77', true],
    ['451 canary-token-77', false],
  ] as const)(
    'repeats the mail in its answer (%s): the error holds codes only [A10-4] [ASVS 16.2.5]',
    async (refusal, permanent) => {
      const server = await serve({ secure: true });
      server.verdict = () => refusal;
      const error = await deliver(server.url()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MailTransportError);
      expect(error).toMatchObject({ permanent, code: expect.stringContaining(refusal.slice(0, 3)) });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
    },
  );

  it('a server that refuses the login loses no mail: that is mended, and tried again', async () => {
    const server = await serve({ secure: true, login });
    await expect(deliver(server.url({ login: 'app:wrong@' }))).rejects.toMatchObject({
      permanent: false,
      code: expect.stringContaining('EAUTH'),
    });
  });
});
