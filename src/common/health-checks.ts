import { Injectable } from '@nestjs/common';

/** What has to work before this instance takes requests. Parts add their check; the internal listener asks. */
@Injectable()
export class HealthChecks {
  private readonly checks = new Map<string, () => Promise<unknown>>();

  /** The check rejects when the part cannot serve. Its reason is not shown. */
  add(name: string, check: () => Promise<unknown>): void {
    this.checks.set(name, check);
  }

  /** Runs all checks side by side; one that takes longer than the bound counts as down. */
  async run(withinMilliseconds = 2000): Promise<Record<string, 'up' | 'down'>> {
    const late = AbortSignal.timeout(withinMilliseconds);
    const bound = new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(late.reason)));
    const results = [...this.checks].map(async ([name, check]) => {
      const up = await Promise.race([check(), bound]).then(
        () => true,
        () => false,
      );
      return [name, up ? 'up' : 'down'] as const;
    });
    bound.catch(() => undefined);
    return Object.fromEntries(await Promise.all(results));
  }
}
