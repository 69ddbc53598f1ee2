import { Injectable } from '@nestjs/common';

/** The lines of the log as they leave, redacted and escaped, for whoever brings them somewhere else too. */
@Injectable()
export class LogLines {
  private readonly listeners: ((line: string) => void)[] = [];

  /** Must not throw, block or log. @public: every user of it can be removed. */
  subscribe(listener: (line: string) => void): void {
    this.listeners.push(listener);
  }

  /** @public: every user of it can be removed. */
  tell(line: string): void {
    for (const listener of this.listeners) listener(line);
  }
}
