import { Injectable } from '@nestjs/common';

type State = 'up' | 'down';

export interface Health {
  /** `degraded`: this instance serves, but not as it should. `down`: it should get no requests. */
  readonly status: State | 'degraded';
  readonly checks: Readonly<Record<string, State>>;
}

/** What this instance depends on. Parts add their check; the internal listener asks. */
@Injectable()
export class HealthChecks {
  private readonly checks = new Map<string, { readonly check: () => Promise<unknown>; readonly required: boolean }>();

  /**
   * The check rejects when the part does not work. Its reason is not shown. Without a part that is not required, the
   * instance serves all the same.
   */
  add(name: string, check: () => Promise<unknown>, { required = true } = {}): void {
    this.checks.set(name, { check, required });
  }

  /** Runs all checks side by side; one that takes longer than the bound counts as down. */
  async run(withinMs = 2000): Promise<Health> {
    const late = AbortSignal.timeout(withinMs);
    const bound = new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(late.reason)));
    bound.catch(() => undefined);
    const results = await Promise.all(
      [...this.checks].map(async ([name, { check, required }]) => {
        const up = await Promise.race([check(), bound]).then(
          () => true,
          () => false,
        );
        return { name, up, required };
      }),
    );
    const down = results.filter(({ up }) => !up);
    const status = down.some(({ required }) => required) ? 'down' : down.length > 0 ? 'degraded' : 'up';
    return { status, checks: Object.fromEntries(results.map(({ name, up }) => [name, up ? 'up' : 'down'])) };
  }
}
