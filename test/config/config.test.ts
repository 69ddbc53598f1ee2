import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readConfig, variables } from '../../src/config/index.js';
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
    for (const name of ['PUBLIC_URL', 'HOST', 'TLS_CERTIFICATE_FILE', 'TLS_KEY_FILE', 'KEY_RING_FILE', 'TOMBSTONE_FILE']) {
      expect(error).toContain(name);
    }
    expect(readConfig(production)).toMatchObject({ production: true, apiDocs: false });
  });

  it.each(['*', 'null', 'http://app.example.org', 'https://app.example.org/', 'https://*.example.org', 'https://a.example.org:443'])(
    'allows the origin %s: the service does not start [practice 8.1] [ASVS 3.4.2]',
    (origin) => {
      expect(thrownBy(() => readConfig({ CORS_ORIGINS: origin }))).toContain('CORS_ORIGINS');
    },
  );

  it('an unknown environment is no development', () => {
    expect(thrownBy(() => readConfig({ NODE_ENV: 'prod' }))).toContain('NODE_ENV: set one of: development, production');
  });

  it('.env.example names exactly the variables that are read, and holds no value that counts', () => {
    const lines = readFileSync('.env.example', 'utf8').split('\n');
    const named = lines.flatMap((line) => /^# ?([A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
    expect(named.toSorted()).toEqual(Object.keys(variables).toSorted());
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
    for (const { description } of Object.values(variables)) expect(lines.join('\n')).toContain(description);
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
