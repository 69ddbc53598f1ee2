import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { isPublicAddress } from '../../src/egress/destination.js';
import { EgressClient } from '../../src/egress/egress-client.js';
import { Egress } from '../../src/egress/egress.js';
import { MovableClock } from '../support/app.js';
import { Authority } from '../support/tls-servers.js';
import { TlsServer } from './servers.js';

const bounds = { milliseconds: 1_000, bytes: 10_000 };

describe('outbound HTTP (OWASP API7, ASVS 1.3.6)', () => {
  let authority: Authority;
  let server: TlsServer;
  let stranger: TlsServer;

  beforeAll(async () => {
    authority = await Authority.create();
    server = await TlsServer.start(authority, ['localhost', 'service.example', 'listed.example']);
    stranger = await TlsServer.start(await Authority.create());
  });
  afterEach(() => {
    server.requests.length = 0;
    server.answer = (response) => response.end('ok');
  });
  afterAll(async () => {
    await Promise.all([server.close(), stranger.close()]);
    authority.remove();
  });

  /** @param addresses what the resolver answers, look-up by look-up. */
  const resolverOf = (addresses: string[][]) => async () =>
    ((addresses.length > 1 ? addresses.shift() : addresses[0]) ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
  /** A client whose purpose is exactly the origin of the URL: what is refused, other rules refuse. */
  const egress = (listed: readonly string[], url: string, ...addresses: string[][]) => {
    const rules = {
      origins: [URL.canParse(url) ? new URL(url).origin : ''],
      privateHosts: listed,
      ca: readFileSync(authority.caFile, 'utf8'),
      keepAlive: false,
      circuit: 'none',
    } as const;
    return new EgressClient(rules, resolverOf(addresses), new MovableClock());
  };
  const own = () => `localhost:${server.port}`;

  /** As a feature gets it: by the configuration, with the resolver of the system. */
  const configured = (origins: readonly string[], listed: readonly string[] = [own()]) =>
    new Egress(readConfig({ EGRESS_CA_FILE: authority.caFile, EGRESS_ALLOW_PRIVATE_HOSTS: listed.join(',') })).for({
      origins,
      variable: 'SERVICE_URL',
    });

  it('asks a service that is listed: the answer comes, over a TLS connection that was checked', async () => {
    const client = configured([`https://${own()}`]);
    const answer = await client.get(`https://${own()}/path?q=1`, { ...bounds, headers: { 'x-test': 'yes' } });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'ok']);
    expect(server.requests).toMatchObject([
      { method: 'GET', url: '/path?q=1', headers: { 'x-test': 'yes', 'accept-encoding': 'identity' } },
    ]);
  });

  it('posts a body, and sends by every other method', async () => {
    const client = configured([`https://${own()}`]);
    await client.post(`https://${own()}/new`, '{"a":1}', {
      ...bounds,
      headers: { 'content-type': 'application/json' },
    });
    for (const method of ['PUT', 'PATCH', 'DELETE', 'HEAD'] as const)
      await client.send({ ...bounds, method, url: `https://${own()}/one` });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']);
    expect(server.requests[0]).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'application/json' } });
  });

  it.each(['https://other.example', 'https://localhost:1', 'https://sub.localhost', 'http://localhost'])(
    'is asked for %s, which no purpose names: refused, although it may be reached [ASVS 13.2.4]',
    async (origin) => {
      const client = configured([`https://${own()}`], [own(), 'localhost:1', 'sub.localhost:443', 'localhost:80']);
      await expect(client.get(`${origin}/`, bounds)).rejects.toThrow('the destination is not allowed');
    },
  );

  it.each(['https://10.0.0.1', 'https://localhost:8443', 'https://169.254.169.254', 'http://service.example'])(
    'a feature names %s, which cannot be asked: the service does not start, and says what to list [A7-1]',
    (origin) => {
      expect(() => configured([origin], [])).toThrow(/SERVICE_URL: its host is private .* EGRESS_ALLOW_PRIVATE_HOSTS/);
    },
  );

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '①②⑦.0.0.1',
    '127.0.0.1.',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '168.63.129.16',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[2002:7f00:1::]',
    '[ff02::1]',
    'localhost',
    'localhost.',
    'service.',
    'intranet',
  ])('asks https://%s/: refused before a connection, with the one error [A7-1] [ASVS 1.3.6]', async (host) => {
    const url = `https://${host}/`;
    await expect(egress([], url, ['8.8.8.8']).get(url, bounds)).rejects.toThrow('the destination is not allowed');
  });

  it.each([
    'http://service.example/',
    'file:///etc/passwd',
    'ftp://service.example/',
    'gopher://service.example/',
    'data:text/plain,x',
    'https://service.example:22/',
    'https://service.example:8443/',
    'https://ok.example@127.0.0.1/',
    'https://service.example:443@evil.example/',
    'https://service.example\\@evil.example/',
    'https://serv\tice.example/',
    'https://service.example/a\r\nHost: evil',
    'https://service.example/#@evil',
    "https://service.example/'",
    ' https://service.example/',
    'https:service.example',
    'https:///service.example/',
    'https://',
    '',
    `https://service.example/${'x'.repeat(2048)}`,
  ])('asks %j: refused, no parser has to agree with another one [A7-4] [ASVS 1.5.3]', async (url) => {
    const client = egress([], url, ['127.0.0.1']);
    expect(() => client.check(url)).toThrow('the destination is not allowed');
    await expect(client.get(url, bounds)).rejects.toThrow('the destination is not allowed');
  });

  it('its name is public when checked and private when connected to: refused [A7-2]', async () => {
    for (const addresses of [
      ['127.0.0.1'],
      ['::1'],
      ['169.254.169.254'],
      ['8.8.8.8', '127.0.0.1'],
      ['::ffff:127.0.0.1'],
      [],
    ]) {
      const client = egress([], 'https://service.example', addresses);
      client.check('https://service.example/');
      await expect(client.get('https://service.example/', bounds)).rejects.toThrow('the destination is not allowed');
    }
    expect(server.requests).toEqual([]);
  });

  it('rebinds a listed name: the address that was checked is the one that is connected to [A7-2]', async () => {
    const listed = `listed.example:${server.port}`;
    const url = `https://${listed}/`;
    expect((await egress([listed], url, ['127.0.0.1'], ['127.0.0.99']).get(url, bounds)).status).toBe(200);
    for (const address of [
      '169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::a9fe:a9fe',
      '64:ff9b::6464:64c8',
      '::ffff:169.254.169.254',
      '100.100.100.200',
      '192.0.0.192',
      '168.63.129.16',
      'fd00:ec2::254',
      'fd20:ce::254',
      'fe80::1',
    ]) {
      await expect(egress([listed], url, [address]).get(url, bounds)).rejects.toThrow('the destination is not allowed');
    }
    const other = `https://other.example:${server.port}/`;
    await expect(egress([listed], other, ['127.0.0.1']).get(other, bounds)).rejects.toThrow(
      'the destination is not allowed',
    );
  });

  it('clear text is for an agent on this machine only, and only where a purpose names it [A10-7]', async () => {
    for (const address of ['10.0.0.1', '8.8.8.8', '::ffff:8.8.8.8'])
      await expect(
        egress(['agent.example:80'], 'http://agent.example', [address]).get('http://agent.example/', bounds),
      ).rejects.toThrow('the destination is not allowed');
    await expect(
      egress([], 'http://agent.example', ['127.0.0.1']).get('http://agent.example/', bounds),
    ).rejects.toThrow('the destination is not allowed');
  });

  it.each([301, 302, 307, 308])(
    'answers %i to an internal address: it is not followed [A7-3] [ASVS 15.3.2]',
    async (status) => {
      server.answer = (response) => response.writeHead(status, { location: `https://${own()}/internal` }).end();
      expect((await configured([`https://${own()}`]).get(`https://${own()}/first`, bounds)).status).toBe(status);
      expect(server.requests.map(({ url }) => url)).toEqual(['/first']);
    },
  );

  it('asks for a URL of more than 2,048 characters: refused [ASVS 4.2.5]', () => {
    const client = new Egress(readConfig({})).for({ origins: ['https://service.example'], variable: 'SERVICE_URL' });
    const url = (length: number) => `https://service.example/`.padEnd(length, 'x');
    expect(() => client.check(url(2_048))).not.toThrow();
    expect(() => client.check(url(2_049))).toThrow('the destination is not allowed');
  });

  it('answers without an end, or drop by drop: cut at the bounds [A7-7]', async () => {
    server.answer = (response) => void response.write('x'.repeat(1_000_000));
    await expect(configured([`https://${own()}`]).get(`https://${own()}/`, bounds)).rejects.toThrow(
      'the answer is too long',
    );
    server.answer = (response) => {
      const drops = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(drops));
    };
    await expect(
      configured([`https://${own()}`]).get(`https://${own()}/`, { ...bounds, milliseconds: 300 }),
    ).rejects.toThrow();
    server.answer = () => undefined;
    await expect(
      configured([`https://${own()}`]).get(`https://${own()}/`, { ...bounds, milliseconds: 300 }),
    ).rejects.toThrow();
  });

  it('shows a certificate of another authority, or for another name: no request is sent [ASVS 12.3.2]', async () => {
    const other = `localhost:${stranger.port}`;
    await expect(configured([`https://${other}`], [other]).get(`https://${other}/`, bounds)).rejects.toThrow();
    const wrongName = `wrong.example:${server.port}`;
    const url = `https://${wrongName}/`;
    await expect(egress([wrongName], url, ['127.0.0.1']).get(url, bounds)).rejects.toThrow();
    expect([...stranger.requests, ...server.requests]).toEqual([]);
  });

  it.each([
    '*:443',
    '*.example:443',
    'service.example',
    'Service.example:443',
    'https://service.example:443',
    'a:0',
    'a:65536',
    'a@b:443',
    '127.1:443',
    '0x7f000001:443',
  ])('the owner lists %s: the service does not start, only exact hosts count', (listed) =>
    expect(() => readConfig({ EGRESS_ALLOW_PRIVATE_HOSTS: listed })).toThrow('EGRESS_ALLOW_PRIVATE_HOSTS: set hosts'),
  );

  it.each([
    ['8.8.8.8', true],
    ['2606:4700::1111', true],
    ['1.1.1.1', true],
    ['192.0.0.8', false],
    ['2001:db8::1', false],
    ['::ffff:8.8.8.8', false],
    ['nonsense', false],
  ] as const)('the address %s is public: %s', (address, expected) => expect(isPublicAddress(address)).toBe(expected));
});
