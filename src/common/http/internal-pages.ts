import { Injectable } from '@nestjs/common';
import { learnRoute } from '../access/access-line.js';

export interface InternalPage {
  readonly status: number;
  readonly contentType: string;
  /** In pieces where it goes on for as long as somebody reads it. */
  readonly body: string | AsyncIterable<string>;
  /** Content-Security-Policy; left out: nothing runs, nothing loads. */
  readonly policy?: string;
}

/** Pages of the internal listener (health, mailbox): never on the public one (ASVS v5.0.0-13.4.5). */
@Injectable()
export class InternalPages {
  private readonly pages = new Map<string, (path: string) => Promise<InternalPage> | InternalPage>();

  /** Serves GET on the path and on everything below it. */
  add(path: `/${string}`, page: (path: string) => Promise<InternalPage> | InternalPage): void {
    learnRoute(path);
    this.pages.set(path, page);
  }

  /** The page of the longest registered prefix, or undefined. */
  find(path: string): ((path: string) => Promise<InternalPage> | InternalPage) | undefined {
    for (let prefix = path; prefix !== ''; prefix = prefix.slice(0, prefix.lastIndexOf('/'))) {
      const page = this.pages.get(prefix);
      if (page !== undefined) return page;
    }
    return undefined;
  }

  paths(): string[] {
    return [...this.pages.keys()];
  }
}
