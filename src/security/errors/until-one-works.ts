/** Tries one after the other until one does not throw; when all do, nothing is left to try. */
export function untilOneWorks(...attempts: readonly (() => unknown)[]): void {
  attempts.some((attempt) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  });
}
