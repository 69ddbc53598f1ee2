import type { Principal } from './principal.js';

/**
 * One rule about objects, said twice: of an object at hand, and as the condition of the statement that acts. A test has to hold the two
 * together (test/resources/policy.test.ts).
 */
export interface ObjectPolicy<Facts, Where> {
  /** Tells a refusal (403) from nothing to be seen (404); it never opens anything by itself. */
  can(principal: Principal, object: Facts): boolean;
  /** Belongs into the `where`: check and act are one statement, and no moment lies between them (ASVS v5.0.0-8.2.2, 15.4.2). */
  scope(principal: Principal): Where;
}

/** How somebody stands to an object, strongest first. A feature has those of them that it needs. */
export type Standing = 'owner' | 'editor' | 'viewer' | 'public';

/** For each standing, who has it. */
export type Standings<Facts, Where> = Readonly<Partial<Record<Standing, ObjectPolicy<Facts, Where>>>>;

type Rules<Facts, Where> = readonly [ObjectPolicy<Facts, Where>, ...ObjectPolicy<Facts, Where>[]];

/** Each of the rules suffices. At least one, because Prisma takes an empty OR inside AND for "every row". */
export const anyOf = <Facts, Where extends { OR?: Where[] }>(...rules: Rules<Facts, Where>): ObjectPolicy<Facts, Where> => ({
  can: (principal, object) => rules.some((rule) => rule.can(principal, object)),
  scope: (principal) => ({ OR: rules.map((rule) => rule.scope(principal)) }) as Where,
});

/** All of the rules are needed. */
export const allOf = <Facts, Where extends { AND?: Where | Where[] }>(...rules: Rules<Facts, Where>): ObjectPolicy<Facts, Where> => ({
  can: (principal, object) => rules.every((rule) => rule.can(principal, object)),
  scope: (principal) => ({ AND: rules.map((rule) => rule.scope(principal)) }) as Where,
});

const order: readonly Standing[] = ['owner', 'editor', 'viewer', 'public'];

/** The strongest standing of the caller; undefined for a stranger. */
export const standingOf = <Facts>(standings: Standings<Facts, unknown>, principal: Principal, object: Facts): Standing | undefined =>
  order.find((standing) => standings[standing]?.can(principal, object));
