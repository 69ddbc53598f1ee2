import type { SecurityEvent } from '../../common/events/security-events.js';
import { networkOf } from '../../common/http/network.js';
import { requestContext } from '../../common/http/request-context.js';
import type { Key } from './rule.js';

/** By what one event, or one answer, can be counted. What it does not have is not counted. */
export type Sighting = Readonly<Record<Key, string | undefined>>;

/** @param route `GET /v1/users/:id`, of an answer. */
export function sightingOf(event?: SecurityEvent, route?: string): Sighting {
  const { principal, address } = requestContext() ?? {};
  return {
    account: accountIn(event) ?? principal?.userId,
    network: address === undefined ? undefined : networkOf(address),
    credential: principal?.kind === 'machine' ? principal.machineId : principal?.sessionId,
    route,
    global: 'all',
  };
}

/** Of whom it tells; who did it, where it is of nobody. */
const accountIn = (event: SecurityEvent | undefined): string | undefined =>
  event?.target?.type === 'user' ? event.target.id : event?.actorId;

/** What leads to the audit event and to the request's log line. */
export function factsOf(event?: SecurityEvent): Record<string, string | number> {
  const request = requestContext()?.requestId;
  return {
    ...(event && { outcome: event.outcome }),
    ...(event?.target && { target: `${event.target.type} ${event.target.id}` }),
    ...(request !== undefined && { request }),
    ...Object.fromEntries(
      Object.entries(event?.details ?? {}).map(([name, value]) => [
        name,
        typeof value === 'number' ? value : String(value),
      ]),
    ),
  };
}
