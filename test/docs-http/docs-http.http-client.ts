import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';
import { HttpFileRun, type Client } from '../support/http-file.js';

/** What is used of httpYac, which is installed into this folder alone. */
interface HttpYac {
  readonly send: (context: object) => Promise<boolean>;
  readonly store: { readonly HttpFileStore: new () => HttpFileStore };
  readonly cli: { readonly initIOProvider: () => void };
}
interface HttpFileStore {
  parse(name: string, text: string, options: object): Promise<{ readonly httpRegions: readonly Region[] }>;
}
interface Region {
  readonly isGlobal: () => boolean;
  readonly response?: {
    readonly statusCode: number;
    readonly headers: Record<string, string | string[]>;
    readonly body: unknown;
  };
}

let app: TestApp;
let client: Client;
beforeAll(async () => {
  app = await startApp({ instances: 1, env: { RATE_LIMIT_SCALE: '20' } });
  client = await httpYac(app.on(0).addresses.https, readFileSync(join(app.dataDirectory, 'tls/ca.crt'), 'utf8'));
});
afterAll(() => app.close());

/** The file goes to httpYac as it stands; only the port is another. */
async function httpYac(port: number, certificateAuthority: string): Promise<Client> {
  const { send, store, cli } = createRequire(join(process.cwd(), 'test/docs-http/package.json'))('httpyac') as HttpYac;
  cli.initIOProvider();
  return async (file, index) => {
    const text = file.replace('https://localhost:8443', `https://localhost:${port}`);
    const httpFile = await new store.HttpFileStore().parse(join(process.cwd(), 'docs/http/file.http'), text, {});
    const httpRegion = httpFile.httpRegions.filter((region) => !region.isGlobal())[index];
    const processedHttpRegions: Region[] = [];
    const request = { https: { certificateAuthority }, throwHttpErrors: false };
    await send({ httpFile, httpRegion, processedHttpRegions, config: { request, cookieJarEnabled: false } });
    return toAnswer(processedHttpRegions.at(-1));
  };
}

function toAnswer(region: Region | undefined): Answer {
  const { statusCode: status = 0, headers = {}, body = '' } = region?.response ?? {};
  const text = String(body);
  const isJson = /[/+]json\b/.test(String(headers['content-type']));
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')])),
    body: isJson && text !== '' ? JSON.parse(text) : text,
    text,
  };
}

describe('the runnable requests of docs/http in httpYac [practice 11.1]', () => {
  it.each(globSync('docs/http/*.http').toSorted())('%s', async (path) => {
    const { got, expected } = await new HttpFileRun(app, path, client).walk();
    expect(got.length).toBeGreaterThan(1);
    expect(got).toEqual(expected);
  });
});
