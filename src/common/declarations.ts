/**
 * What features declare while their files are loaded, each name once: permissions, limits, problem types. Nobody keeps
 * a list, so a feature that is taken away takes its names along.
 */
export class Declarations<T extends { readonly name: string }> {
  private readonly known = new Map<string, T>();

  constructor(private readonly what: string) {}

  /** @throws Error for a name that is there already: two meanings of one name would be told apart by nobody. */
  add(declared: T): T {
    if (this.known.has(declared.name)) throw new Error(`the ${this.what} ${declared.name} is declared twice`);
    this.known.set(declared.name, Object.freeze(declared));
    return declared;
  }

  find(name: string): T | undefined {
    return this.known.get(name);
  }

  /** In the order of their declaration. */
  list(): T[] {
    return [...this.known.values()];
  }
}

/** `signOut` as `sign-out`. */
export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
