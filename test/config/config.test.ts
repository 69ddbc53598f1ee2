import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import '../../src/app.module.js';
import { readConfig } from '../../src/config/index.js';
import { envExample } from '../../src/inventory/env-example.js';
import { production } from './production.js';

describe('configuration [practice 11.1]', () => {
  it('needs no variable in development, and is frozen', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ production: false, httpsPort: 8443, apiDocs: true, corsOrigins: [] });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('says every fault at once, with name and fix, and repeats no value [A8-6] [ASVS 13.4.2]', () => {
    const wrong = {
      HTTPS_PORT: 'canary-1',
      CORS_ORIGINS: 'https://*.canary-2.example',
      DATABASE_URL: 'mysql://canary-3',
      API_DOCS: 'canary-4',
      ARGON2_MEMORY_KIB: '1024',
      PUBLIC_URL: 'http://canary-5.example',
    };
    const error = thrownBy(() => readConfig(wrong));
    for (const name of Object.keys(wrong)) expect(error).toContain(`${name}: set `);
    expect(error).not.toContain('canary');
  });

  it('demands in production what development makes up [A8-6]', () => {
    const error = thrownBy(() => readConfig({ NODE_ENV: 'production' }));
    for (const name of [
      'PUBLIC_URL',
      'HOST',
      'TLS_CERTIFICATE_FILE',
      'TLS_KEY_FILE',
      'KEY_RING_FILE',
      'TOMBSTONE_FILE',
    ]) {
      expect(error).toContain(name);
    }
    expect(readConfig(production)).toMatchObject({ production: true, apiDocs: false });
  });

  it.each([
    '*',
    'null',
    'http://app.example.org',
    'https://app.example.org/',
    'https://*.example.org',
    'https://a.example.org:443',
  ])('allows the origin %s: the service does not start [practice 8.1] [ASVS 3.4.2]', (origin) => {
    expect(thrownBy(() => readConfig({ CORS_ORIGINS: origin }))).toContain('CORS_ORIGINS');
  });

  it('an unknown environment is no development', () => {
    expect(thrownBy(() => readConfig({ NODE_ENV: 'prod' }))).toContain('NODE_ENV: set one of: development, production');
  });

  it('.env.example names exactly the variables that are read, and holds no value that counts', () => {
    const file = readFileSync('.env.example', 'utf8');
    expect(file, 'renew it: npm run inventory --silent -- --env > .env.example').toBe(envExample());
    const named = [...file.matchAll(/^# ([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named).toEqual(
      expect.arrayContaining([
        'DATABASE_URL',
        // With: vault-transit.
        'VAULT_TOKEN_FILE',
        // With: detection.
        'DETECTION_RULES_FILE',
      ]),
    );
    expect(named).toHaveLength(new Set(named).size);
    expect(file.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });
});

function thrownBy(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
