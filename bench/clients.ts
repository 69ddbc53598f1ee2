// What authentication by the token of an OAuth client costs, compared with the access token of a session.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { App } from './apps.js';
import { compareCredentials, oneRow } from './compared.js';
import { person } from './fixture.js';

/** Registers a program of the person as an operator does, and gets its token. */
async function tokenOfClient(app: App, directory: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench' };
  const file = join(directory, 'client.json');
  writeFileSync(file, JSON.stringify({ name: 'Benchmark', scopes: ['resource:read'], key }));
  const command = ['.bench/src/cli/main.js', 'clients:create', person.email, file];
  const env = { PATH: process.env['PATH'], ...app.environment };
  const [, id = ''] = /^created (\S+)/m.exec(execFileSync(process.execPath, command, { env, encoding: 'utf8' })) ?? [];
  const { issuer } = (await app.client.expect(200, 'GET', '/.well-known/oauth-authorization-server/oauth')).body as {
    issuer: string;
  };
  const assertion = await new SignJWT({ iss: id, sub: id, aud: issuer, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);
  const form = {
    grant_type: 'client_credentials',
    scope: 'resource:read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  return (await app.client.expect(200, 'POST', '/oauth/token', { form })).body.access_token as string;
}

await compareCredentials({ name: 'client', scenarios: [oneRow], credential: tokenOfClient });
