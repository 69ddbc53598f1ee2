import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '../../common/http/problem.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Egress } from '../../egress/index.js';
import { IdentityProvider } from './identity-provider.js';
import { providerSettings } from './oidc.settings.js';

/** The providers of the configuration, each with a way out of its own. */
@Injectable()
export class IdentityProviders {
  private readonly byName: ReadonlyMap<string, IdentityProvider>;

  /** @throws ConfigurationError for an issuer that can never be asked, or a key that cannot be read. */
  constructor(@Inject(CONFIG) config: Config, egress: Egress) {
    this.byName = new Map(
      [...config.each(providerSettings)].map(([name, settings]) => {
        const { ISSUER = '', HOSTS } = settings;
        const client = egress.for({
          origins: [new URL(ISSUER).origin, ...HOSTS],
          variable: `OIDC_${name.toUpperCase()}_ISSUER`,
        });
        // One callback for each, so that what one says is never taken for the word of another (RFC 9700 s4.4.2.2).
        const redirectUri = `${config.publicUrl}/v1/auth/oidc/${name}/callback`;
        return [name, new IdentityProvider(name, settings, redirectUri, client)];
      }),
    );
  }

  list(): IdentityProvider[] {
    return [...this.byName.values()];
  }

  /** @throws Problem not-found */
  find(name: string): IdentityProvider {
    const found = this.byName.get(name);
    if (found === undefined) throw new Problem('not-found');
    return found;
  }
}
