import type { EgressClient } from '../../egress/index.js';
import type { Outcome } from './signal.js';

export interface CollectorRules {
  readonly client: Pick<EgressClient, 'post'>;
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Long for a collector nearby; a circuit spares one that is down. */
const milliseconds = 5_000;
const maxAnswerBytes = 64 * 1024;
/** What OTLP/HTTP says may be sent again. */
const retryable = new Set([429, 502, 503, 504]);

/** Sends one request of OTLP/HTTP in protobuf, and knows why the last one failed. Never throws. */
export class Collector {
  /** A status or a code: never what the other side wrote. */
  lastFault = 'none';
  private readonly ending = new AbortController();

  constructor(private readonly rules: CollectorRules) {}

  /** @param isTaken what the answer says: a collector may take a request, and refuse what is in it. */
  async send(
    path: 'v1/logs' | 'v1/traces' | 'v1/metrics',
    body: Uint8Array | undefined,
    isTaken: (answer: Uint8Array) => boolean,
  ): Promise<Outcome> {
    const { client, endpoint, headers } = this.rules;
    if (body === undefined) return this.failed('serialization', 'refused');
    try {
      const answer = await client.post(`${endpoint}/${path}`, body, {
        milliseconds,
        bytes: maxAnswerBytes,
        headers: { ...headers, 'content-type': 'application/x-protobuf' },
        signal: this.ending.signal,
      });
      if (answer.status >= 200 && answer.status < 300)
        return isTaken(answer.body) ? 'sent' : this.failed('refused in part', 'refused');
      return this.failed(`status ${answer.status}`, retryable.has(answer.status) ? 'again' : 'refused');
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      return this.failed(code ?? name, 'again');
    }
  }

  /** Cuts what is on its way. */
  end(): void {
    this.ending.abort();
  }

  private failed(fault: string, outcome: Outcome): Outcome {
    this.lastFault = fault;
    return outcome;
  }
}
