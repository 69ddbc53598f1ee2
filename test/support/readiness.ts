import { request } from 'node:http';
import type { TestApp } from './app.js';

/** What a load balancer asks. */
export function readiness(
  app: TestApp,
  instance = 0,
): Promise<{ status: number; body: { status: string; checks: Record<string, string> } }> {
  return new Promise((resolve, reject) => {
    const port = app.on(instance).addresses.internal;
    request({ host: '127.0.0.1', port, path: '/health/ready' }, (response) => {
      let text = '';
      response
        .on('data', (chunk) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    })
      .on('error', reject)
      .end();
  });
}
