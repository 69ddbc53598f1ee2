import { stat } from 'node:fs/promises';

/**
 * Tells when files were replaced. It asks for their state instead of waiting for events, which get lost on network
 * volumes and when Kubernetes swaps a symbolic link.
 */
export class FileChanges {
  private served?: string;
  private seen?: string;
  private isLooking = false;

  constructor(private readonly files: readonly string[]) {}

  /** What is there now is what is in use. To be called before the files are read. */
  async begin(): Promise<void> {
    this.served = await this.state();
  }

  /**
   * Calls `apply` once for each change. Whoever copies two files needs a moment: it is told when nothing changes any
   * more. Does nothing while an earlier look goes on, so that what was read first is never in use last.
   */
  async look(apply: () => Promise<void>): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      if (await this.hasSettled()) await apply();
    } finally {
      this.isLooking = false;
    }
  }

  private async hasSettled(): Promise<boolean> {
    const state = await this.state();
    const settled = state === this.seen;
    this.seen = state;
    if (!settled || state === this.served) return false;
    this.served = state;
    return true;
  }

  private async state(): Promise<string> {
    const states = this.files.map((file) =>
      stat(file).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`,
        () => 'gone',
      ),
    );
    return (await Promise.all(states)).join(' ');
  }
}
