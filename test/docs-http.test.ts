import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './support/app.js';
import { HttpFileRun, readHttpFile } from './support/http-file.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('the runnable requests of docs/http say what happens [practice 11.1]', () => {
  it.each(globSync('docs/http/*.http'))('%s', async (path) => {
    const file = readHttpFile(path);
    const run = new HttpFileRun(app, file);
    expect(file.requests.length).toBeGreaterThan(1);
    for (const request of file.requests) expect([request.title, await run.send(request)]).toEqual([request.title, request.expected]);
  });
});
