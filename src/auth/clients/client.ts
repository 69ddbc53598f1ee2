import type { MachineTier } from '../../common/access/principal.js';

/** A program that is registered, as the table has it. */
export interface Client {
  /** UUIDv7, the `client_id`. */
  readonly id: string;
  /** The account whose rights it has, at most. */
  readonly ownerId: string;
  readonly name: string;
  /** A JWK set as JSON; without keys when it proves who it is by a certificate. */
  readonly keys: string;
  /** The name in its certificates: `dns:lab.example.org`, `uri:spiffe://example.org/lab`. Null: it has keys. */
  readonly certificate: string | null;
  readonly scopes: readonly string[];
  readonly tier: MachineTier;
  readonly requiresDpop: boolean;
  readonly status: 'active' | 'disabled';
  /** Counts changes; it stands in each token. */
  readonly version: number;
}

/** What may change of a client. Name, owner and scopes do not: what was agreed to stays what it was. */
export type ClientChanges = Partial<Pick<Client, 'keys' | 'status'>>;
