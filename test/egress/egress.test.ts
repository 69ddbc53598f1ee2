import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { isPublicAddress } from '../../src/egress/destination.js';
import { Egress } from '../../src/egress/egress.js';
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
  const egress = (listed: readonly string[] = [], ...addresses: string[][]) => {
    const config = readConfig({ EGRESS_CA_FILE: authority.caFile, EGRESS_ALLOW_PRIVATE_HOSTS: listed.join(',') });
    const resolve = async () => ((addresses.length > 1 ? addresses.shift() : addresses[0]) ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    return addresses.length === 0 ? new Egress(config) : new Egress(config, resolve);
  };
  const own = () => `localhost:${server.port}`;

  it('asks a service that is listed: the answer comes, over a TLS connection that was checked', async () => {
    expect(await egress([own()]).get(`https://${own()}/path?q=1`, { ...bounds, headers: { 'x-test': 'yes' } })).toEqual({ status: 200, text: 'ok' });
    expect(server.requests).toMatchObject([{ url: '/path?q=1', headers: { 'x-test': 'yes', 'accept-encoding': 'identity' } }]);
  });

  it.each([
    '127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1',
    '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '①②⑦.0.0.1', '127.0.0.1.', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]', '168.63.129.16', '[fe80::1]', '[fd00:ec2::254]', '[2002:7f00:1::]', '[ff02::1]', 'localhost', 'localhost.', 'service.', 'intranet',
  ])('asks https://%s/: refused before a connection, with the one error [A7-1] [ASVS 1.3.6]', async (host) => {
    await expect(egress().get(`https://${host}/`, bounds)).rejects.toThrow('the destination is not allowed');
  });

  it.each([
    'http://service.example/', 'file:///etc/passwd', 'ftp://service.example/', 'gopher://service.example/', 'data:text/plain,x', 'https://service.example:22/',
    'https://service.example:8443/', 'https://ok.example@127.0.0.1/', 'https://service.example:443@evil.example/', 'https://service.example\\@evil.example/',
    'https://serv\tice.example/', 'https://service.example/a\r\nHost: evil', 'https://service.example/#@evil', "https://service.example/'", ' https://service.example/', 'https:service.example',
    'https:///service.example/', 'https://', '', `https://service.example/${'x'.repeat(2048)}`,
  ])('asks %j: refused, no parser has to agree with another one [A7-4] [ASVS 1.5.3]', async (url) => {
    const client = egress([], ['127.0.0.1']);
    expect(() => client.check(url)).toThrow('the destination is not allowed');
    await expect(client.get(url, bounds)).rejects.toThrow('the destination is not allowed');
  });

  it('has a name that is public when it is checked and private when it is connected to: refused, no connection [A7-2]', async () => {
    for (const addresses of [['127.0.0.1'], ['::1'], ['169.254.169.254'], ['8.8.8.8', '127.0.0.1'], ['::ffff:127.0.0.1'], []]) {
      const client = egress([], addresses);
      client.check('https://service.example/');
      await expect(client.get('https://service.example/', bounds)).rejects.toThrow('the destination is not allowed');
    }
    expect(server.requests).toEqual([]);
  });

  it('rebinds a listed name: the address that was checked is the one that is connected to [A7-2]', async () => {
    const listed = `listed.example:${server.port}`;
    expect((await egress([listed], ['127.0.0.1'], ['127.0.0.99']).get(`https://${listed}/`, bounds)).status).toBe(200);
    await expect(egress([listed], ['169.254.169.254']).get(`https://${listed}/`, bounds)).rejects.toThrow('the destination is not allowed');
    for (const address of ['64:ff9b::a9fe:a9fe', '64:ff9b:1::a9fe:a9fe', '64:ff9b::6464:64c8', '::ffff:169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::1']) {
      await expect(egress([listed], [address]).get(`https://${listed}/`, bounds)).rejects.toThrow('the destination is not allowed');
    }
    await expect(egress([listed], ['127.0.0.1']).get(`https://other.example:${server.port}/`, bounds)).rejects.toThrow('the destination is not allowed');
  });

  it.each([301, 302, 307, 308])('answers %i to an internal address: it is not followed [A7-3] [ASVS 15.3.2]', async (status) => {
    server.answer = (response) => response.writeHead(status, { location: `https://${own()}/internal` }).end();
    expect((await egress([own()]).get(`https://${own()}/first`, bounds)).status).toBe(status);
    expect(server.requests.map(({ url }) => url)).toEqual(['/first']);
  });

  it('answers without an end, or drop by drop: cut at the bounds [A7-7]', async () => {
    server.answer = (response) => void response.write('x'.repeat(1_000_000));
    await expect(egress([own()]).get(`https://${own()}/`, bounds)).rejects.toThrow('the answer is too long');
    server.answer = (response) => {
      const drops = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(drops));
    };
    await expect(egress([own()]).get(`https://${own()}/`, { ...bounds, milliseconds: 300 })).rejects.toThrow();
    server.answer = () => undefined;
    await expect(egress([own()]).get(`https://${own()}/`, { ...bounds, milliseconds: 300 })).rejects.toThrow();
  });

  it('shows a certificate of another authority, or for another name: no request is sent [ASVS 12.3.2]', async () => {
    const other = `localhost:${stranger.port}`;
    await expect(egress([other]).get(`https://${other}/`, bounds)).rejects.toThrow();
    const wrongName = `wrong.example:${server.port}`;
    await expect(egress([wrongName], ['127.0.0.1']).get(`https://${wrongName}/`, bounds)).rejects.toThrow();
    expect([...stranger.requests, ...server.requests]).toEqual([]);
  });

  it.each(['*:443', '*.example:443', 'service.example', 'Service.example:443', 'https://service.example:443', 'a:0', 'a:65536', 'a@b:443', '127.1:443', '0x7f000001:443'])(
    'the owner lists %s: the service does not start, only exact hosts count',
    (listed) => expect(() => readConfig({ EGRESS_ALLOW_PRIVATE_HOSTS: listed })).toThrow('EGRESS_ALLOW_PRIVATE_HOSTS: set hosts'),
  );

  it.each([['8.8.8.8', true], ['2606:4700::1111', true], ['1.1.1.1', true], ['192.0.0.8', false], ['2001:db8::1', false], ['::ffff:8.8.8.8', false], ['nonsense', false]] as const)(
    'the address %s is public: %s',
    (address, expected) => expect(isPublicAddress(address)).toBe(expected),
  );
});
