import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readMessage } from '../src/mail/message.js';
import type { Client } from './client.js';
import { person, resource, resourceCount } from './fixture.js';

/** Everybody has it. */
const password = 'seven quiet lanterns above the harbour';
/** The service's access tokens live for 300 seconds, and the longest measurement takes 120. */
const renewAfterMs = 120_000;

/** The user of the real service, who came by the front door: signed up, verified and signed in through the API. */
export class ServiceUser {
  private accessToken = '';
  private issuedAt = -Infinity;

  readonly password = password;

  private constructor(
    private readonly client: Client,
    readonly email: string,
  ) {}

  static async signUp(
    client: Client,
    dataDirectory: string,
    { email, resources }: { email: string; resources: number } = { email: person.email, resources: resourceCount },
  ): Promise<ServiceUser> {
    await client.expect(202, 'POST', '/v1/auth/register', { body: { email } });
    await client.expect(201, 'POST', '/v1/auth/email/verify', {
      body: { token: await mailedToken(dataDirectory, email), password, name: person.name },
    });
    const user = new ServiceUser(client, email);
    const token = await user.token();
    await client.expect(200, 'PATCH', '/v1/users/me', { token, body: { phone: person.phone } });
    for (let count = 0; count < resources; count++)
      await client.expect(201, 'POST', '/v1/resources', { token, body: resource });
    return user;
  }

  /** One that is good for the next measurement. */
  async token(): Promise<string> {
    const now = performance.now();
    if (now - this.issuedAt > renewAfterMs) {
      this.accessToken = await this.signIn();
      this.issuedAt = now;
    }
    return this.accessToken;
  }

  /** The access token of a new session. */
  async signIn(): Promise<string> {
    const { body } = await this.client.expect(200, 'POST', '/v1/auth/login', { body: { email: this.email, password } });
    return body.accessToken as string;
  }
}

async function mailedToken(dataDirectory: string, email: string): Promise<string> {
  const outbox = join(dataDirectory, 'outbox');
  for (let attempt = 0; attempt < 100; attempt++) {
    const files = readdirSync(dataDirectory).includes('outbox')
      ? readdirSync(outbox).filter((name) => name.endsWith('.eml'))
      : [];
    const mail = files
      .map((file) => readMessage(readFileSync(join(outbox, file), 'utf8')))
      .find(({ to }) => to.includes(email));
    const token = mail && /^[A-Za-z0-9_-]{40,}$/m.exec(mail.text)?.[0];
    if (token) return token;
    await pause(20);
  }
  throw new Error('the service sent no mail with a token');
}
