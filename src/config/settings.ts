import type { Settings, SettingsFamily, Variables } from './config.types.js';

const declared: Settings[] = [];

/** Called when the file is loaded, and so before the configuration is read: the table of `app.module.ts` imports it. */
export function declareSettings<const V extends Variables>(
  variables: V,
  faultsOf: Settings<V>['faultsOf'] = () => [],
): Settings<V> {
  const settings = { variables, faultsOf };
  // The values that it is asked with are those of its own variables (readConfig).
  declared.push(settings as unknown as Settings);
  return settings;
}

const families: SettingsFamily[] = [];

/** Variables that come once for each name that the owner gives. Called when the file is loaded, too. */
export function declareSettingsFamily<const V extends Variables>(
  named: Omit<SettingsFamily<V>, 'faultsOf'>,
  faultsOf: SettingsFamily<V>['faultsOf'] = () => [],
): SettingsFamily<V> {
  const family = { ...named, faultsOf };
  families.push(family as unknown as SettingsFamily);
  return family;
}

export const declaredFamilies = (): readonly SettingsFamily[] => families;

export const declaredSettings = (): readonly Settings[] => declared;

/** Faults of a list of conditions, each with what is wrong when it holds. */
export const faultsAmong = (checks: readonly (readonly [boolean, string])[]): string[] =>
  checks.flatMap(([isWrong, fault]) => (isWrong ? [fault] : []));
