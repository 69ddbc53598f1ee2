import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { ClientAuthenticator } from './client-authenticator.js';
import { ClientRepository } from './client.repository.js';
import { callInProcess, type InnerAnswer } from './in-process.js';
import { mount } from './issuer.js';
import { presentedToken } from './presented-token.js';

/**
 * `oidc-provider`, which is certified, with everything off but one grant. It proves who the client is and writes the
 * token; who may be a client, what it may, and the key that signs come from here.
 */
@Injectable()
export class AuthorizationServer implements OnModuleInit {
  private provider?: Provider;
  private readonly faults = new WeakMap<object, unknown>();
  @Inject(SecurityEvents) private readonly events: SecurityEvents;

  constructor(
    private readonly clients: ClientRepository,
    private readonly authenticator: ClientAuthenticator,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    const { clients, keys, clock, config } = this;
    const { createProvider } = await loadQuietly();
    const provider = createProvider({ clients, keys, clock, config });
    provider.on('server_error', ({ req }, error) => void this.faults.set(req, error));
    provider.on('grant.success', (context) => this.report(context));
    provider.on('grant.error', (context, { error }) => this.report(context, error));
    provider.on('introspection.error', (context, { error }) => this.report(context, error));
    provider.on('revocation.error', (context, { error }) => this.report(context, error));
    this.provider = provider;
  }

  /** @throws what the provider could not do, such as to ask a database that is down. */
  async call(path: string, form: Readonly<Record<string, string>>): Promise<InnerAnswer> {
    const host = new URL(this.config.publicUrl).host;
    if (this.provider === undefined) throw new Error('the authorization server is not there yet');
    const listener = this.provider.callback();
    let fault: unknown;
    const answer = await callInProcess(
      async (request, response) => {
        await listener(request, response);
        fault = this.faults.get(request);
      },
      { host, path, mount, form },
    );
    if (answer.status < 500) return answer;
    throw fault instanceof Error ? fault : new Error('the authorization server failed', { cause: fault });
  }

  /**
   * Introspection or revocation: of the token itself, the library sees no more than what it is worth. Who asks has to
   * prove it first, as at the token endpoint.
   */
  async about(path: string, { token, ...form }: Readonly<Record<string, string>>): Promise<InnerAnswer> {
    if (token === undefined || token === '') return this.call(path, form);
    const claims = await this.authenticator.inspect(token);
    return presentedToken.run(claims, () => this.call(path, { ...form, token: 'presented' }));
  }

  /** @param refused the code of RFC 6749 s5.2: messages of the provider may quote what was sent. */
  private report({ oidc }: KoaContextWithOIDC, refused?: string): void {
    // Of a refusal, nobody has proved that it is this client.
    const details = { client: oidc.client?.clientId ?? 'unknown', scopes: [...oidc.requestParamScopes] };
    this.events.reportLater(
      refused === undefined
        ? { action: 'authn_token_created', outcome: 'success', details }
        : { action: 'authn_token_fail', outcome: 'denied', details: { client: details.client, reason: refused } },
    );
  }
}

/**
 * For the commands of operators, which need none of it, it is not loaded. While it is, it would write to standard error
 * that it does not support this version of Node before that has long-term support: what it does here, the tests try.
 */
async function loadQuietly() {
  const { warn } = console;
  // eslint-disable-next-line no-console -- the library has no other way to be quiet
  console.warn = () => undefined;
  try {
    return await import('./oauth-provider.js');
  } finally {
    // eslint-disable-next-line no-console
    console.warn = warn;
  }
}
