import { Injectable } from '@nestjs/common';

/** Credentials that somebody else may have seen. Whoever issued one (auth, API keys) subscribes and revokes it. */
@Injectable()
export class ExposedCredentials {
  private readonly listeners: ((credential: string) => void)[] = [];

  /** The listener gets the text after the scheme, must ignore what it did not issue, and must not throw. */
  subscribe(listener: (credential: string) => void): void {
    this.listeners.push(listener);
  }

  report(credential: string): void {
    for (const listener of this.listeners) listener(credential);
  }
}
