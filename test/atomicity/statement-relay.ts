import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens at one statement. */
export interface Strike {
  /** Which one: the statements are counted from 1 since the relay was armed. */
  readonly at: (sql: string, count: number) => boolean;
  /** The server executes it, and only the answer is lost. Otherwise the server never sees it. */
  readonly executed?: boolean;
  /** Called at that moment, for example to kill the client. */
  readonly also?: () => void;
}

/**
 * A relay in front of PostgreSQL that knows where a statement begins (frontend messages Query and Execute), and can cut
 * every connection at exactly that point.
 */
export class StatementRelay {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private strike: Strike | undefined;
  private count = 0;
  private gone = false;
  /** The statement at which it struck. */
  struckAt: string | undefined;

  private constructor(target: { host: string; port: number }) {
    this.server = createServer((client) => {
      if (this.gone) {
        client.destroy();
        return;
      }
      this.join(client, connect(target));
    });
  }

  static async to(url: string): Promise<{ relay: StatementRelay; url: string }> {
    const target = new URL(url);
    const relay = new StatementRelay({ host: target.hostname, port: Number(target.port || 5432) });
    await new Promise<void>((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    target.hostname = '127.0.0.1';
    target.port = String((relay.server.address() as AddressInfo).port);
    return { relay, url: target.href };
  }

  arm(strike: Strike): void {
    [this.strike, this.count, this.struckAt] = [strike, 0, undefined];
  }

  /** Lets new connections through again. */
  restore(): void {
    [this.strike, this.gone] = [undefined, false];
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(client: Socket, upstream: Socket): void {
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    const statements = new Statements();
    let answerIsLost = false;
    client.on('data', (chunk: Buffer) => {
      for (const { bytes, sql, isNoise } of statements.read(chunk)) {
        const struck = sql !== undefined && !isNoise && this.isStruck(sql);
        if (struck && this.strike?.executed !== true) {
          this.cut();
          return;
        }
        answerIsLost ||= struck;
        upstream.write(bytes);
      }
    });
    upstream.on('data', (chunk: Buffer) => {
      if (answerIsLost) this.cut();
      else client.write(chunk);
    });
  }

  private isStruck(sql: string): boolean {
    if (this.strike === undefined || this.struckAt !== undefined || !this.strike.at(sql, ++this.count)) return false;
    this.struckAt = sql;
    return true;
  }

  private cut(): void {
    this.gone = true;
    this.strike?.also?.();
    for (const socket of this.sockets) socket.destroy();
  }
}

interface Message {
  readonly bytes: Buffer;
  /** Of a message that executes a statement. */
  readonly sql: string | undefined;
  /**
   * What the service does at its own times: it delivers mail, looks whether the signing keys have changed, and what
   * operators have set, stores alerts, and seals the audit trail.
   */
  readonly isNoise: boolean;
}

/** What tells a transaction of the service itself: the sealer's, and that of an alert with the key that seals it. */
const ownTransaction = /pg_try_advisory_xact_lock|audit_links|\b(?:alerts|alert_webhooks)\b/;
const background = /outgoing_mails|signing_keys|restrictions|alerts|alert_webhooks|audit_links|audit_checkpoints/;

/** The messages of one connection (PostgreSQL's frontend/backend protocol 3.0, without TLS). */
class Statements {
  private rest = Buffer.alloc(0);
  private started = false;
  private inTransaction = false;
  /** In a transaction of the service itself, to its COMMIT. */
  private isOwn = false;
  private readonly prepared = new Map<string, string>();
  private bound = '';

  *read(chunk: Buffer): Generator<Message> {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let length = this.nextLength(); length > 0 && this.rest.length >= length; length = this.nextLength()) {
      const bytes = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      const sql = this.started ? this.sqlOf(bytes) : undefined;
      this.started = true;
      yield { bytes, sql, isNoise: sql !== undefined && this.isNoise(sql) };
    }
  }

  private isNoise(sql: string): boolean {
    this.isOwn ||= this.inTransaction && ownTransaction.test(sql);
    const isNoise = this.isOwn || (!this.inTransaction && background.test(sql));
    if (!this.inTransaction) this.isOwn = false;
    return isNoise;
  }

  /** The first message has no type byte. */
  private nextLength(): number {
    const at = this.started ? 1 : 0;
    return this.rest.length < at + 4 ? 0 : at + this.rest.readInt32BE(at);
  }

  private sqlOf(bytes: Buffer): string | undefined {
    const texts = bytes.subarray(5).toString('latin1').split('\0');
    const [first = '', second = ''] = texts;
    switch (String.fromCharCode(bytes[0] ?? 0)) {
      case 'P':
        this.prepared.set(first, second);
        return undefined;
      case 'B':
        this.bound = this.prepared.get(second) ?? '';
        return undefined;
      case 'E':
        return this.bound;
      case 'Q':
        this.inTransaction = first === 'BEGIN' || (this.inTransaction && !/^(COMMIT|ROLLBACK)$/.test(first));
        return first;
      default:
        return undefined;
    }
  }
}
