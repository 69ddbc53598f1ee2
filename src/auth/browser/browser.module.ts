// Threat: scripts that read the refresh token (XSS), and pages of strangers that use it (CSRF).
// Does: keeps it in a `__Host-` cookie, which sign-ins write, refresh renews and sign-outs clear; reads it only for
// pages of ours.
// Does not: keep a script that runs in the page from calling the API while the page is open; nor pages of strangers
// from writing at all, which CORS does.
// Remove: npm run remove browser; refresh tokens are then in bodies only, and a sign-in that asks for the cookie is
// refused.
// Needs: headers.
import { Inject, Module } from '@nestjs/common';
import { MachineAuthenticators } from '../../common/access/machine-authenticators.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { SessionTokens } from '../sessions/session-tokens.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { hasRefreshCookie, RefreshCookie } from './refresh-cookie.js';

@Module({ imports: [SessionsModule] })
export class BrowserModule {
  constructor(
    tokens: SessionTokens,
    machines: MachineAuthenticators,
    events: SecurityEvents,
    @Inject(CONFIG) config: Config,
  ) {
    tokens.cookie = new RefreshCookie(events, config);
    machines.refuseBeside(({ headers }) => hasRefreshCookie(headers));
  }
}
