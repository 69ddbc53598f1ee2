import { randomUUID, createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  utimesSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../../src/config/index.js';
import { CertificateReload } from '../../../src/security/transport/certificate-reload.js';
import { createCa, issueLeaf } from '../../../src/security/transport/development-ca.js';
import { loadTls, tlsOptions } from '../../../src/security/transport/tls.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
const directory = mkdtempSync(join(tmpdir(), 'tls-test-'));
const certificateFile = join(directory, 'tls.crt');
const keyFile = join(directory, 'tls.key');
const files = { TLS_CERTIFICATE_FILE: certificateFile, TLS_KEY_FILE: keyFile };

async function install(ca: Awaited<ReturnType<typeof createCa>>): Promise<void> {
  const leaf = await issueLeaf(ca);
  writeFileSync(certificateFile, leaf.cert);
  writeFileSync(keyFile, leaf.key);
}

let ca: Awaited<ReturnType<typeof createCa>>;
beforeAll(async () => {
  ca = await createCa();
  await install(ca);
  CertificateReload.interval = 40;
  app = await startSmallApp({ env: files });
  app.ca = ca.cert;
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The handshake's outcome: the socket, or the code of the refusal. */
function handshake(options: ConnectionOptions): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: app.port, servername: 'localhost', ca: ca.cert, ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'UNSPECIFIED' ? error.message : (error.code ?? '')),
    );
  });
}

const serial = async (): Promise<string> => {
  const socket = (await handshake({})) as TLSSocket;
  const { serialNumber } = socket.getPeerCertificate() as DetailedPeerCertificate;
  socket.destroy();
  return serialNumber;
};

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 100 && !(await condition()); attempt++)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('TLS 1.2 or higher, forward secrecy only (practice 1.2, ASVS 12.1)', () => {
  it.each(['TLSv1', 'TLSv1.1'] as const)('offers %s only: refused [ASVS 12.1.1] [practice 1.2]', async (version) => {
    expect(await handshake({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' })).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
  });

  it.each([
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-SHA',
    'AES256-GCM-SHA384',
    'DHE-RSA-AES256-GCM-SHA384',
    'NULL-SHA256',
  ])('offers %s only: refused [ASVS 12.1.2]', async (ciphers) => {
    const outcome = await handshake({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
    expect(['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE']).toContain(outcome);
  });

  it('TLS 1.2 with an AEAD suite and TLS 1.3 are served; the server chooses the suite', async () => {
    const older = (await handshake({
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
    })) as TLSSocket;
    expect(older.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
    const newer = (await handshake({})) as TLSSocket;
    expect(newer.getProtocol()).toBe('TLSv1.3');
    older.destroy();
    newer.destroy();
  });

  it('older versions are off by the version itself, not only because no suite of theirs is left', () => {
    expect(tlsOptions({ cert: '', key: '' })).toMatchObject({ minVersion: 'TLSv1.2', honorCipherOrder: true });
  });

  it('the key agreement resists a quantum computer where the client can, and falls back where it cannot', async () => {
    const hybrid = (await handshake({ ecdhCurve: 'X25519MLKEM768' })) as TLSSocket;
    expect(hybrid.encrypted).toBe(true);
    const classic = (await handshake({ ecdhCurve: 'P-256' })) as TLSSocket;
    expect(classic.encrypted).toBe(true);
    hybrid.destroy();
    classic.destroy();
  });

  it('asks to renegotiate: refused', async () => {
    const socket = (await handshake({ maxVersion: 'TLSv1.2' })) as TLSSocket;
    const outcome = await new Promise((resolve) => {
      socket.once('error', resolve);
      socket.once('close', () => resolve('closed'));
      socket.renegotiate({}, (error) => resolve(error ?? 'renegotiated'));
    });
    expect(outcome).not.toBe('renegotiated');
    socket.destroy();
  });

  it('speaks plain HTTP to the HTTPS port: not a byte of an answer [practice 1.1] [ASVS 12.2.1]', async () => {
    const received = await new Promise<string>((resolve) => {
      const socket = connectTcp(app.port, '127.0.0.1', () =>
        socket.write('GET /things HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      );
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(received).not.toContain('HTTP');
    expect(received).not.toContain('query');
  });
});

describe('Certificates are renewed without a restart (practice 1.2)', () => {
  it('the files change: new connections get the new certificate, the open one lives on [practice 1.2]', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert, servername: 'localhost' });
    const reuse = () =>
      new Promise<boolean>((resolve, reject) => {
        const call = request(
          { host: '127.0.0.1', port: app.port, path: '/things', agent, headers: { host: 'localhost' } },
          (answer) => {
            answer.resume().on('end', () => resolve(call.reusedSocket));
          },
        );
        call.on('error', reject).end();
      });
    await reuse();
    const before = await serial();
    await install(ca);
    await until(async () => (await serial()) !== before);
    expect(await serial()).not.toBe(before);
    expect(await reuse()).toBe(true);
    agent.destroy();
  });

  it('1,000 requests during ten renewals, on kept and on new connections: none is lost [practice 1.2]', async () => {
    const kept = new Agent({ keepAlive: true, maxSockets: 4, ca: ca.cert, servername: 'localhost' });
    const fresh = new Agent({ keepAlive: false, maxSockets: 4, ca: ca.cert, servername: 'localhost' });
    const statuses: (number | string)[] = [];
    const seen = new Set<string>();
    const ask = (agent: Agent) =>
      new Promise<void>((resolve) => {
        const to = { host: '127.0.0.1', port: app.port, path: '/things', agent, headers: { host: 'localhost' } };
        const call = request(to, (answer) => {
          statuses.push(answer.statusCode ?? 0);
          seen.add((answer.socket as TLSSocket).getPeerCertificate().serialNumber);
          answer.resume().on('end', resolve);
        });
        call.on('error', (error) => resolve(void statuses.push(error.message))).end();
      });
    let asked = 0;
    const client = async (agent: Agent) => {
      while (asked++ < 1_000 || seen.size < 11) await ask(agent);
    };
    const renew = async () => {
      for (let count = 0; count < 10; count++) {
        const before = await serial();
        await install(ca);
        await until(async () => (await serial()) !== before);
        // Somebody has to come while it is served.
        await ask(fresh);
      }
    };
    await Promise.all([renew(), ...[kept, kept, kept, kept, fresh, fresh, fresh, fresh].map(client)]);
    expect(statuses.length).toBeGreaterThanOrEqual(1_000);
    expect([...new Set(statuses)]).toEqual([200]);
    kept.destroy();
  }, 60_000);

  it.each(['TLSv1.3', 'TLSv1.2'] as const)('comes again with %s: the handshake is the short one', async (version) => {
    const only = { minVersion: version, maxVersion: version } as const;
    const first = (await handshake(only)) as TLSSocket;
    // TLS 1.3 sends tickets after the handshake, beside the first answer.
    const ticket = new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.write('GET /things HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const session = version === 'TLSv1.2' ? first.getSession() : await ticket;
    const second = (await handshake({ ...only, session })) as TLSSocket;
    expect([first.isSessionReused(), second.isSessionReused()]).toEqual([false, true]);
    first.destroy();
    second.destroy();
  });

  it('the reloaded listener still refuses TLS 1.1 and weak suites: no option was forgotten', async () => {
    expect(await handshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).toBe(
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
    expect(await handshake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' })).toContain(
      'HANDSHAKE_FAILURE',
    );
  });

  it('the new file is broken, or of another key: reported, the old one stays [practice 1.2]', async () => {
    const before = await serial();
    writeFileSync(certificateFile, 'rubbish');
    const event = {
      action: 'sys_error',
      details: expect.objectContaining({ reason: 'new certificate refused' }),
    };
    await vi.waitFor(() => expect(app.events).toContainEqual(expect.objectContaining(event)), 10_000);
    // With: logging.
    await app.logLine(({ message }) => message === 'the new certificate cannot be used; the old one stays');
    expect(await serial()).toBe(before);
    await install(ca);
    await until(async () => (await serial()) !== before);
    expect(await serial()).not.toBe(before);
  });
});

/** Why the boot stops with these variables. */
async function fault(env: Record<string, string>): Promise<string> {
  const error = await loadTls(readConfig({ ...env, DATA_DIRECTORY: directory })).catch((thrown: Error) => thrown);
  return (error as Error).message;
}

describe('A wrong certificate stops the boot with one line', () => {
  it('names the variable and the fix, and shows nothing of the file', async () => {
    const other = join(directory, 'other.key');
    writeFileSync(other, (await createCa()).key);
    expect(await fault({ ...files, TLS_KEY_FILE: other })).toContain('set a PEM certificate chain and its own key');
    expect(await fault({ ...files, TLS_KEY_FILE: join(directory, 'missing') })).toContain(
      'TLS_KEY_FILE: the file cannot be read (ENOENT)',
    );
    expect(await fault({ ...files, TLS_CERTIFICATE_FILE: keyFile })).not.toContain('PRIVATE');
  });
});

describe('Development certificates', () => {
  const data = mkdtempSync(join(tmpdir(), 'development-'));
  const config = readConfig({ DATA_DIRECTORY: data });
  const inTls = (name: string) => join(data, 'tls', name);
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  it('are made once, readable by the owner only, for this machine, for at most 397 days [ASVS 12.3.2]', async () => {
    const first = await loadTls(config);
    expect((await loadTls(config)).cert).toBe(first.cert);
    const modes = ['ca.crt', 'ca.key', 'server.crt', 'server.key', '.'].map((name) =>
      (statSync(inTls(name)).mode & 0o777).toString(8),
    );
    expect(modes).toEqual(['600', '600', '600', '600', '700']);
    const leaf = new X509Certificate(first.cert);
    expect([leaf.checkHost('localhost'), leaf.checkIP('127.0.0.1'), leaf.checkIP('::1'), leaf.ca]).toEqual([
      'localhost',
      '127.0.0.1',
      '::1',
      false,
    ]);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(397 * 24 * 60 * 60 * 1000);
    expect(leaf.verify(new X509Certificate(readFileSync(inTls('ca.crt'))).publicKey)).toBe(true);
  });

  it('steals the CA key and signs another site: clients refuse it by the name constraints', async () => {
    await loadTls(config);
    const forged = await forge(readFileSync(inTls('ca.crt'), 'utf8'), readFileSync(inTls('ca.key'), 'utf8'));
    const server = createServer(forged, (socket) => socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await handshake({ port, servername: 'bank.example', ca: readFileSync(inTls('ca.crt')) })).toBe(
      'permitted subtree violation',
    );
    server.close();
  });

  it('the key is gone: a new pair under the same CA; the CA is gone: everything new', async () => {
    const { cert } = await loadTls(config);
    const caBefore = readFileSync(inTls('ca.crt'), 'utf8');
    rmSync(inTls('server.key'));
    expect((await loadTls(config)).cert).not.toBe(cert);
    expect(readFileSync(inTls('ca.crt'), 'utf8')).toBe(caBefore);
    rmSync(inTls('ca.crt'));
    await loadTls(config);
    expect(readFileSync(inTls('ca.crt'), 'utf8')).not.toBe(caBefore);
  });

  it('a start was killed between the new CA and its certificate: the next serves a valid one', async () => {
    await loadTls(config);
    const other = { ...config, dataDirectory: mkdtempSync(join(tmpdir(), 'tls-')) };
    await loadTls(other);
    copyFileSync(join(other.dataDirectory, 'tls/ca.crt'), inTls('ca.crt'));
    rmSync(inTls('ca.key'));
    const { cert } = await loadTls(config);
    expect(new X509Certificate(cert).verify(new X509Certificate(readFileSync(inTls('ca.crt'))).publicKey)).toBe(true);
  });

  it('a start was killed while it wrote a key: the draft, which holds a key, does not stay', async () => {
    await loadTls(config);
    const draft = inTls(`server.key.${randomUUID()}.new`);
    writeFileSync(draft, '-----BEGIN');
    utimesSync(draft, 0, 0);
    rmSync(inTls('server.key'));
    await loadTls(config);
    expect(existsSync(draft)).toBe(false);
  });

  it('are never made in production: the boot stops instead [ASVS 12.2.2]', async () => {
    const production = { ...config, production: true };
    await expect(loadTls(production)).rejects.toThrow('TLS_CERTIFICATE_FILE and TLS_KEY_FILE are not set');
  });
});

/** A certificate for a site of somebody else, signed with the development CA's key. */
async function forge(caCert: string, caKey: string): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(caCert);
  const der = createPrivateKey(caKey).export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=bank.example',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'bank.example' }])],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: certificate.toString('pem'), key };
}

// Last: Nest's logger is one for the process, and the newest application has it.
describe('the certificate that nobody renewed', () => {
  it.each([29, 2])('expires in %i days: an error line and an event say so, at the start already', async (days) => {
    await install(ca);
    const day = 24 * 60 * 60 * 1000;
    vi.useFakeTimers({
      toFake: ['Date'],
      now: new X509Certificate(readFileSync(certificateFile)).validToDate.getTime() - (days + 0.5) * day,
    });
    try {
      const late = await startSmallApp({ env: files });
      expect(late.events).toContainEqual({
        action: 'sys_error',
        outcome: 'failure',
        details: { reason: 'certificate expires', days },
      });
      // With: logging.
      await late.logLine(({ message }) => message === `the TLS certificate expires in ${days} days: renew it`);
      await late.close();
    } finally {
      vi.useRealTimers();
    }
  });
});
