import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestApp } from './app.js';
import { mailedToken } from './actors.js';
import type { Answer } from './http.js';
import { totpCode } from './totp.js';

/** One request of a `.http` file, in the form of docs/http/README.md. */
export interface FileRequest {
  readonly title: string;
  readonly name: string | undefined;
  readonly expected: number;
  readonly prompts: readonly string[];
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

interface HttpFile {
  readonly variables: readonly (readonly [string, string])[];
  readonly requests: readonly FileRequest[];
}

/** @throws Error that names the request which has no `# @expect`, or no request line. */
export function readHttpFile(path: string): HttpFile {
  const [head = '', ...blocks] = readFileSync(path, 'utf8').split(/^###/m);
  const variables = [...head.matchAll(/^@(\w+)\s*=\s*(.*)$/gm)].map(([, name = '', value = '']) => [name, value.trim()] as const);
  return { variables, requests: blocks.map((block) => readRequest(path, block)) };
}

function readRequest(path: string, block: string): FileRequest {
  const [title = '', ...lines] = block.split('\n');
  const start = lines.findIndex((line) => /^[A-Z]+ \S+/.test(line));
  const notes = lines.slice(0, start).join('\n');
  const expected = /^# @expect (\d{3})$/m.exec(notes)?.[1];
  if (start < 0 || expected === undefined) throw new Error(`${path}: "${title.trim()}" needs a request line and # @expect`);
  const [method = '', target = ''] = (lines[start] ?? '').split(' ');
  const gap = lines.indexOf('', start);
  const end = gap < 0 ? lines.length : gap;
  const headers = lines.slice(start + 1, end).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
  const prompts = [...notes.matchAll(/^# @prompt (\w+)/gm)].map(([, name = '']) => name);
  return { title: title.trim(), name: /^# @name (\w+)$/m.exec(notes)?.[1], expected: Number(expected), prompts, method, target, headers, body: lines.slice(end).join('\n').trim() };
}

/** Sends the requests of a file in their order, as an editor would, and answers the prompts as a person would. */
export class HttpFileRun {
  private readonly values = new Map<string, string>();
  private readonly answers = new Map<string, Answer>();
  /** What the newest enrolment showed, as an authenticator app would have scanned it. */
  private totpSecret = '';

  constructor(
    private readonly app: TestApp,
    { variables }: HttpFile,
  ) {
    for (const [name, value] of variables) this.values.set(name, value === '{{$guid}}' ? randomUUID() : this.fill(value));
  }

  async send(request: FileRequest): Promise<number> {
    for (const prompt of request.prompts) this.values.set(prompt, await this.answerTo(prompt));
    const body = this.fill(request.body);
    const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), this.fill(value)]));
    const path = this.fill(request.target).replace(this.values.get('host') ?? '', '');
    const answer = await this.app.request(request.method, path, { headers, ...(body === '' ? {} : { raw: body }) });
    if (request.name !== undefined) this.answers.set(request.name, answer);
    if (typeof answer.body?.secret === 'string') this.totpSecret = answer.body.secret as string;
    return answer.status;
  }

  private async answerTo(prompt: string): Promise<string> {
    // A person waits for the newest mail, too.
    if (prompt.startsWith('mailToken')) await this.app.mailQuiet();
    if (prompt.startsWith('mailToken')) return mailedToken(this.app, this.fill(prompt === 'mailToken' ? '{{email}}' : '{{newEmail}}'));
    if (prompt === 'grantedAdmin') return this.grantAdmin();
    if (prompt !== 'totpCode') throw new Error(`nobody can answer the prompt ${prompt}`);
    // A code works once; the next one is half a minute away.
    this.app.clock.advance(30);
    return totpCode(this.totpSecret, this.app.clock.now());
  }

  /** What the operator's command does (test/main.test.ts runs the command itself). */
  private async grantAdmin(): Promise<string> {
    await this.app.sql(`UPDATE users SET roles = '{user,admin}' WHERE id = $1`, [this.fill('{{administrator.response.body.$.id}}')]);
    return 'granted';
  }

  private fill(text: string): string {
    return text.replaceAll(/\{\{([^{}]+)\}\}/g, (_, expression: string) => {
      const [name = '', , part = '', ...path] = expression.trim().split('.');
      const answer = this.answers.get(name);
      const value = answer === undefined ? this.values.get(expression.trim()) : lookUp(answer, part, path.filter((key) => key !== '$'));
      if (value === undefined) throw new Error(`{{${expression}}} has no value`);
      return value;
    });
  }
}

/** `response.body.$.items[0].id` or `response.headers.ETag`. */
function lookUp(answer: Answer, part: string, path: readonly string[]): string | undefined {
  if (part === 'headers') return answer.headers[path.join('.').toLowerCase()];
  const keys = path.flatMap((key) => key.split(/[[\]]/).filter((word) => word !== ''));
  const value = keys.reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], answer.body);
  return typeof value === 'object' ? undefined : (value as string | undefined)?.toString();
}
