import { Injectable, Logger } from '@nestjs/common';

/** Each look-alike costs whoever issues such a thing a look: of one kind and request, no more are taken. */
const maxPerKind = 20;

/** What crossed the network in clear, as each decoder on the way to a handler would have read it. */
export class ExposedText {
  constructor(private readonly views: readonly string[]) {}

  /** The texts of that form, each once, one more than the bound at most. */
  find(pattern: RegExp): string[] {
    const found = new Set<string>();
    for (const view of this.views) {
      for (const [text] of view.matchAll(pattern)) {
        found.add(text);
        if (found.size > maxPerKind) return [...found];
      }
    }
    return [...found];
  }
}

/** One kind of credential, and who can revoke it. */
export interface IssuedCredential {
  /** Told to the caller: `sessions`. */
  readonly kind: string;
  /** What its texts look like, with the flag `g`. It runs over bytes that anybody may send: linear in their length. */
  readonly pattern: RegExp;
  /** Revokes what is genuine, and nothing for a text that was made up: anybody can send those. */
  revoke(lookAlikes: readonly string[], exposed: ExposedText): Promise<void>;
}

/** Credentials that somebody else may have read. Whatever issues one that can be revoked subscribes with its form. */
@Injectable()
export class ExposedCredentials {
  private readonly logger = new Logger('ExposedCredentials');
  private readonly issued: IssuedCredential[] = [];

  subscribe(issued: IssuedCredential): void {
    this.issued.push(issued);
  }

  get kinds(): string[] {
    return this.issued.map(({ kind }) => kind).toSorted();
  }

  /** How many texts look like something that was issued here. */
  countIn(exposed: ExposedText): number {
    return this.issued.reduce((sum, { pattern }) => sum + exposed.find(pattern).length, 0);
  }

  /**
   * @returns whether everything in it that was ours is revoked now; false when a part could not be looked at, or the
   * database failed.
   */
  async revokeIn(exposed: ExposedText): Promise<boolean> {
    const outcomes = await Promise.all(this.issued.map((one) => this.revoke(one, exposed)));
    return outcomes.every((isDone) => isDone);
  }

  private async revoke({ kind, pattern, revoke }: IssuedCredential, exposed: ExposedText): Promise<boolean> {
    const found = exposed.find(pattern);
    if (found.length === 0) return true;
    try {
      await revoke(found.slice(0, maxPerKind), exposed);
      return found.length <= maxPerKind;
    } catch (error) {
      this.logger.error({ message: `what was exposed could not be revoked: ${kind}`, error });
      return false;
    }
  }
}
