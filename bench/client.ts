import { Agent, request } from 'node:https';

export interface Answer {
  readonly status: number;
  // eslint-disable-next-line typescript/no-explicit-any -- answers of several forms are looked into
  readonly body: any;
}

export interface Parts {
  readonly token?: string;
  readonly body?: unknown;
  /** In place of a body. */
  readonly form?: Readonly<Record<string, string>>;
}

/** Talks to one app over one connection; the load itself comes from autocannon. */
export class Client {
  private readonly agent: Agent;

  constructor(
    private readonly port: number,
    ca: string,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: 'localhost' });
  }

  send(method: string, path: string, { token, body, form }: Parts = {}): Promise<Answer> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const payload = form === undefined ? sent : new URLSearchParams(form).toString();
    const headers = {
      host: `localhost:${this.port}`,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(payload !== undefined && {
        'content-type': form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(payload),
      }),
    };
    return new Promise((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port: this.port, agent: this.agent, method, path, headers },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
          );
        },
      );
      call.once('error', reject);
      call.end(payload);
    });
  }

  /** @throws Error that names the call, for any other status. */
  async expect(status: number, method: string, path: string, parts?: Parts): Promise<Answer> {
    const answer = await this.send(method, path, parts);
    if (answer.status === status) return answer;
    throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  }

  close(): void {
    this.agent.destroy();
  }
}
