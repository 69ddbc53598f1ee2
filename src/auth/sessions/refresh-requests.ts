import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { RefreshCookie } from '../browser/index.js';
import { Refreshing } from './refreshing.js';
import type { TokensView } from './tokens.view.js';

/** Finds the refresh token of a request: in the body, or in browser mode in the cookie. */
@Injectable()
export class RefreshRequests {
  constructor(
    private readonly refreshing: Refreshing,
    private readonly cookie: RefreshCookie,
  ) {}

  /** @throws Problem `unauthenticated`; a cookie that is worth nothing is then cleared. */
  async refresh(inBody: string | undefined): Promise<TokensView> {
    const inCookie = this.cookie.read();
    if (inBody === undefined) return this.refreshInBrowser(inCookie);
    // Of two credentials each hop could believe another one.
    if (inCookie !== undefined) throw new Problem('malformed-request', 'Send one refresh token, in the body or in the cookie.');
    return this.refreshing.refresh(inBody, false);
  }

  private async refreshInBrowser(token: string | undefined): Promise<TokensView> {
    try {
      if (token === undefined) throw unauthenticated();
      return await this.refreshing.refresh(token, true);
    } catch (error) {
      if (error instanceof Problem && error.type === 'unauthenticated') this.cookie.clear();
      throw error;
    }
  }
}
