import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import '../../../src/app.module.js';
import { readConfig } from '../../../src/config/index.js';
import { Egress } from '../../../src/egress/egress.js';
import { IdentityProviders } from '../../../src/auth/oidc/identity-providers.js';

const honest = {
  OIDC_SSO_ISSUER: 'https://sso.example.org/realms/staff',
  OIDC_SSO_CLIENT_ID: 'the-service',
  OIDC_SSO_CLIENT_SECRET: 'canary',
};

const boot = (environment: Record<string, string>): string => {
  try {
    const config = readConfig({ ...honest, ...environment });
    return new IdentityProviders(config, new Egress(config))
      .list()
      .map(({ name, label }) => `${name} ${label}`)
      .join();
  } catch (error) {
    return (error as Error).message;
  }
};

describe('configuration of OpenID providers: what is wrong stops the boot, with the variable and the fix', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oidc-keys-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('none, one or several', () => {
    expect(readConfig({}).of).toBeDefined();
    expect(boot({})).toBe('sso Sso');
    const second = {
      OIDC_B_ISSUER: 'https://b.example',
      OIDC_B_CLIENT_ID: 'x',
      OIDC_B_CLIENT_SECRET: 'y',
      OIDC_B_LABEL: 'B & C',
    };
    expect(boot(second)).toBe('sso Sso,b B & C');
  });

  it.each<[string, Record<string, string>]>([
    ['OIDC_SSO_ISSUER is not set', { OIDC_SSO_ISSUER: '' }],
    ['OIDC_SSO_ISSUER: set the issuer', { OIDC_SSO_ISSUER: 'http://sso.example.org' }],
    ['OIDC_SSO_ISSUER: set the issuer', { OIDC_SSO_ISSUER: 'https://sso.example.org/?canary=1' }],
    ['OIDC_SSO_ISSUER: set the issuer', { OIDC_SSO_ISSUER: 'https://canary:x@sso.example.org' }],
    ['OIDC_SSO_ISSUER: set the issuer', { OIDC_SSO_ISSUER: 'sso.example.org' }],
    ['OIDC_SSO_CLIENT_ID is not set', { OIDC_SSO_CLIENT_ID: '' }],
    ['OIDC_SSO_CLIENT_SECRET and OIDC_SSO_PRIVATE_KEY_FILE: set one', { OIDC_SSO_CLIENT_SECRET: '' }],
    ['OIDC_SSO_CLIENT_SECRET and OIDC_SSO_PRIVATE_KEY_FILE: set one', { OIDC_SSO_PRIVATE_KEY_FILE: '/x' }],
    ['OIDC_SSO_PRIVATE_KEY_ID needs OIDC_SSO_PRIVATE_KEY_FILE', { OIDC_SSO_PRIVATE_KEY_ID: 'x' }],
    ['OIDC_SSO_HOSTS: set an origin', { OIDC_SSO_HOSTS: 'keys.example.org' }],
    ['OIDC_SSO_SCOPES: set scopes', { OIDC_SSO_SCOPES: 'email' }],
    ['OIDC_SSO_SIGN_UP: set verified-email', { OIDC_SSO_SIGN_UP: 'true' }],
    ['OIDC_SSO_MAX_AGE_SECONDS: set a whole number', { OIDC_SSO_MAX_AGE_SECONDS: '0' }],
    ['OIDC_SSO_CLIENTID: there is no such variable', { OIDC_SSO_CLIENTID: 'canary' }],
    ['OIDC_ISSUER: there is no such variable', { OIDC_ISSUER: 'https://canary.example' }],
    ['OIDC_SSO_ISSUER: its host is private', { OIDC_SSO_ISSUER: 'https://10.0.0.1' }],
    ['OIDC_SSO_ISSUER: its host is private', { OIDC_SSO_HOSTS: 'https://keys.example.org:8443' }],
  ])('%s', (fault, environment) => {
    const said = boot(environment);
    expect(said).toContain(fault);
    expect(said).not.toContain('canary');
  });

  it.each([
    ['EC P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'sso Sso'],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey, 'sso Sso'],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'sso Sso'],
    [
      'EC P-384',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
      'OIDC_SSO_PRIVATE_KEY_FILE: set a PEM file',
    ],
  ])('a private key of %s instead of a secret', (name, key, said) => {
    const file = join(folder, `${name}.pem`);
    writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    expect(boot({ OIDC_SSO_CLIENT_SECRET: '', OIDC_SSO_PRIVATE_KEY_FILE: file })).toContain(said);
  });

  it('a private key that is not there, or none', () => {
    const file = join(folder, 'none.pem');
    const said = 'OIDC_SSO_PRIVATE_KEY_FILE: set a PEM file';
    expect(boot({ OIDC_SSO_CLIENT_SECRET: '', OIDC_SSO_PRIVATE_KEY_FILE: file })).toContain(said);
    writeFileSync(file, 'canary');
    expect(boot({ OIDC_SSO_CLIENT_SECRET: '', OIDC_SSO_PRIVATE_KEY_FILE: file })).toContain(said);
  });
});
