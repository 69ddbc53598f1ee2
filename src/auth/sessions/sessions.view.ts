import { ViewField } from '../../common/view.js';

const time = { type: 'string', format: 'date-time' } as const;

/** A session that is open. No token, no counter, no address: nothing that somebody could use who sees the list. */
export class SessionView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'boolean', description: 'The session of this very request.' })
  current: boolean;

  @ViewField({ type: 'string', nullable: true, description: 'A coarse label, of when the session began.', example: 'Firefox on Linux' })
  device: string | null;

  @ViewField({ type: 'string', nullable: true, description: 'The network where the session began: IPv4 /24, IPv6 /48.', example: '203.0.113.0/24' })
  place: string | null;

  @ViewField({ ...time, description: 'When the person proved who they are.' })
  authenticatedAt: Date;

  @ViewField({ ...time, description: 'The last refresh. A client that is in use refreshes every five minutes.' })
  lastSeenAt: Date;

  @ViewField({ ...time, description: 'The session ends then at the latest.' })
  expiresAt: Date;

  @ViewField({ type: 'boolean', description: 'Somebody gave the password and has not proved the second factor: change the password if it was not you.' })
  secondFactorDue: boolean;
}

/** All open sessions of the caller, latest use first; there are at most 100. */
export class SessionsView {
  @ViewField({ view: () => SessionView, many: true })
  items: SessionView[];
}
