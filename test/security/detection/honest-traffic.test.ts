import { afterEach, describe, expect, it } from 'vitest';
import type { SecurityEvent } from '../../../src/common/events/security-events.js';
import { rules } from '../../../src/security/detection/rules.js';
import { Detecting, type Doer } from './detecting.js';

const people = 1_000;
const behindOneAddress = 200;
const warmUpSeconds = 300;
const lookSeconds = 600;
/** Everybody is signed out then, by a new version. */
const deployAt = warmUpSeconds + 120;

/** Repeatable chance (mulberry32). */
function chanceOf(seed: number): (share: number) => boolean {
  let state = seed;
  return (share) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 < share;
  };
}

const denied = (action: string, reason: string, userId?: string): SecurityEvent => ({
  action: action as never,
  outcome: 'denied',
  ...(userId !== undefined && { target: { type: 'user', id: userId } }),
  details: { reason },
});

/** One of a thousand, with an address of their own or that of the company. */
const personOf = (number: number): Doer & { userId: string } => ({
  userId: `person ${number}`,
  sessionId: `session ${number}`,
  address: number < behindOneAddress ? '198.51.100.7' : `203.0.${number >> 8}.${number & 255}`,
});

class Town {
  private readonly signsInAt = new Map<number, number>();

  constructor(
    private readonly detecting: Detecting,
    private readonly chance: (share: number) => boolean,
  ) {}

  live(second: number, number: number): void {
    const person = personOf(number);
    if (second === deployAt) this.signsInAt.set(number, deployAt + ((number * 7919) % 300));
    if (this.signsInAt.get(number) === second || this.chance(0.0003)) this.signIn(person);
    if (this.chance(0.1)) this.ask(person);
  }

  private signIn(person: Doer & { userId: string }): void {
    const { userId } = person;
    const say = (event: SecurityEvent) => this.detecting.event(event, { ...person, userId: undefined });
    if (this.chance(0.01)) say(denied('authn_login_fail', 'unknown'));
    for (let typos = 0; typos < 4 && this.chance(typos === 0 ? 0.06 : 0.4); typos++) {
      say(denied('authn_login_fail', 'password', userId));
      this.detecting.answer(401, 'POST /v1/auth/login', person);
    }
    if (this.chance(0.05))
      say({ action: 'authn_new_device', outcome: 'success', target: { type: 'user', id: userId } });
    for (let typos = 0; typos < 2 && this.chance(0.05); typos++) say(denied('authn_factor_fail', 'wrong', userId));
    say({ action: 'authn_login_success', outcome: 'success', actorId: userId });
    this.detecting.answer(200, 'POST /v1/auth/login', person);
  }

  private ask(person: Doer & { userId: string }): void {
    const happen = (share: number, event: SecurityEvent, status: number) => {
      if (!this.chance(share)) return;
      this.detecting.event(event, person);
      this.detecting.answer(status, 'GET /v1/resources/:id', person);
    };
    happen(0.02, denied('authn_token_fail', 'session-ended'), 401);
    happen(0.02, denied('authn_token_fail', 'expired'), 401);
    happen(0.001, denied('authz_fail', 'forbidden'), 403);
    happen(0.002, denied('authn_step_up_required', 'step-up-required'), 401);
    happen(0.0005, denied('input_validation_fail', 'cursor'), 400);
    happen(0.001, denied('excess_rate_limit_exceeded', 'limit'), 429);
    happen(
      0.0002,
      { action: 'authn_reset_requested' as never, outcome: 'success', target: { type: 'user', id: person.userId } },
      202,
    );
    happen(0.0002, { action: 'user_registered' as never, outcome: 'success' }, 202);
    if (this.chance(0.02)) this.detecting.answer(404, this.chance(0.5) ? undefined : 'GET /v1/resources/:id', person);
    else this.detecting.answer(this.chance(0.0005) ? 503 : 200, 'GET /v1/resources', person);
  }
}

let detecting: Detecting;
afterEach(() => detecting.close());

function simulate(seed: number, attack: (second: number) => void = () => undefined): void {
  detecting = new Detecting(rules);
  const town = new Town(detecting, chanceOf(seed));
  for (let second = 0; second < warmUpSeconds + lookSeconds; second++) {
    for (let number = 0; number < people; number++) town.live(second, number);
    attack(second);
    detecting.advance(1);
  }
}

describe('honest people raise no alert [practice 10.3]', () => {
  it.each([1, 2, 3, 4, 5])(
    'a thousand for ten minutes, 200 of them behind one address, and a deployment signs all out (seed %i)',
    (seed) => {
      simulate(seed);
      expect(detecting.raised).toEqual([]);
    },
  );

  it('somebody who guesses among them is noticed, and nobody else', () => {
    const guess = (second: number) => {
      if (second % 20 === 0)
        detecting.event(denied('authn_login_fail', 'password', 'person 5'), { address: '192.0.2.66' });
    };
    simulate(1, guess);
    expect(new Set(detecting.raised.map(({ rule, key }) => `${rule} ${key}`))).toEqual(
      new Set(['account_failures person 5']),
    );
  });
});
