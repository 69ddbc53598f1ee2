import type { Principal } from './principal.js';

/**
 * One rule about objects, said twice: of an object at hand, and as the condition of the statement that acts. A test of
 * the feature has to hold the two together.
 */
export interface ObjectPolicy<Facts, Where> {
  /** Tells a refusal (403) from nothing to be seen (404); it never opens anything by itself. */
  can(principal: Principal, object: Facts): boolean;
  /**
   * Belongs into the `where`: check and act are one statement, and no moment lies between them (ASVS v5.0.0-8.2.2,
   * 15.4.2).
   */
  scope(principal: Principal): Where;
}

/** How somebody stands to an object, strongest first. A feature has those of them that it needs. */
export type Relation = 'owner' | 'editor' | 'viewer' | 'public';

/** For each relation, who has it. */
export type Relations<Facts, Where> = Readonly<Partial<Record<Relation, ObjectPolicy<Facts, Where>>>>;

type Rules<Facts, Where> = readonly [ObjectPolicy<Facts, Where>, ...ObjectPolicy<Facts, Where>[]];

/** Each of the rules suffices. At least one, because Prisma takes an empty OR inside AND for "every row". */
export const anyOf = <Facts, Where extends { OR?: Where[] }>(
  ...rules: Rules<Facts, Where>
): ObjectPolicy<Facts, Where> => ({
  can: (principal, object) => rules.some((rule) => rule.can(principal, object)),
  scope: (principal) => ({ OR: rules.map((rule) => rule.scope(principal)) }) as Where,
});

/**
 * True when the changes are about these fields and no others. For a policy that depends on what is changed (OWASP API3,
 * ASVS v5.0.0-8.2.3): a field that is added tomorrow is then closed to whoever may write these only.
 */
export const isOnlyAbout = <Changes extends object>(
  changes: Changes,
  fields: readonly (keyof Changes & string)[],
): boolean => Object.keys(changes).every((name) => fields.some((field) => field === name));

const order: readonly Relation[] = ['owner', 'editor', 'viewer', 'public'];

/** The strongest relation of the caller; undefined for a stranger. */
export const relationOf = <Facts>(
  relations: Relations<Facts, unknown>,
  principal: Principal,
  object: Facts,
): Relation | undefined => order.find((relation) => relations[relation]?.can(principal, object));
