import type { LinkFiles } from './link.js';
import type { Variable } from './variable.js';
import type { variables } from './variables.js';

export type Variables = Readonly<Record<string, Variable<unknown>>>;

/** A variable with a fallback always has a value; the others may be undefined. */
export type ValueOf<V extends Variable<unknown>> = V extends { readonly fallback: unknown }
  ? ReturnType<V['parse']>
  : ReturnType<V['parse']> | undefined;

export type ValuesOf<V extends Variables> = { readonly [N in keyof V]: ValueOf<V[N]> };

/**
 * The variables of one practice or feature, declared in its folder, each with rule, default and text in one place.
 * Whoever takes the folder away takes them along. `config.of(settings)` has their values.
 */
export interface Settings<V extends Variables = Variables> {
  readonly variables: V;
  /** Faults that only several variables together can have, each with the variable and the fix. */
  readonly faultsOf: (values: ValuesOf<V>, config: Config) => readonly string[];
}

/**
 * The same variables for each of several things that the owner names: `OIDC_<NAME>_ISSUER`. `config.each(family)` has
 * their values by name, in small letters.
 */
export interface SettingsFamily<V extends Variables = Variables> {
  /** `OIDC` */
  readonly prefix: string;
  /** The name that .env.example shows: `KEYCLOAK`. */
  readonly example: string;
  /** Without prefix and name: `ISSUER`. */
  readonly variables: V;
  /** Faults of one of them, each with the variable and the fix. `prefix` is that of its variables: `OIDC_KEYCLOAK_`. */
  readonly faultsOf: (values: ValuesOf<V>, prefix: string) => readonly string[];
}

/** `HTTPS_PORT` -> `httpsPort` */
type CamelCase<S extends string> = S extends `${infer Word}_${infer Rest}`
  ? `${Lowercase<Word>}${Capitalize<CamelCase<Rest>>}`
  : Lowercase<S>;

/** Each variable of the machine room under its name: `config.httpsPort`. */
type Values = { readonly [N in keyof typeof variables as CamelCase<N>]: ValueOf<(typeof variables)[N]> };

/** What is made of several variables, or of one that is not set. */
interface Derived {
  /** The variables that a practice or feature declares (settings.ts). */
  readonly of: <V extends Variables>(settings: Settings<V>) => ValuesOf<V>;
  /** Of each thing that the owner named: see `SettingsFamily`. */
  readonly each: <V extends Variables>(family: SettingsFamily<V>) => ReadonlyMap<string, ValuesOf<V>>;
  readonly production: boolean;
  readonly publicUrl: string;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly apiDocs: boolean;
  /** Absolute path; in development it may not exist yet. */
  readonly keyRingFile: string;
  /** Absolute path. */
  readonly tombstoneFile: string;
  readonly mailFrom: string;
  readonly databaseFiles: LinkFiles;
  readonly redisFiles: LinkFiles;
  readonly smtpFiles: LinkFiles;
}

/** The whole configuration: validated, frozen, and the only thing that the rest of the code may read. */
export type Config = Omit<Values, keyof Derived> & Derived;
