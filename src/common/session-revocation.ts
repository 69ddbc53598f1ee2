import { Injectable } from '@nestjs/common';

type Listener = (userId: string) => Promise<void>;

/**
 * How whoever changes what a user may do (roles, status, deletion) tells whoever remembers it for a while. Authentication
 * listens: its micro-cache of sessions forgets the user at once, on all instances.
 */
@Injectable()
export class PrincipalChanges {
  private readonly listeners: Listener[] = [];

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** To be called after the commit: announced earlier, the old state could be read and remembered once more. */
  async announce(userId: string): Promise<void> {
    for (const listener of this.listeners) await listener(userId);
  }
}
