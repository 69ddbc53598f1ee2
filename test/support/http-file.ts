import { readFileSync } from 'node:fs';
import type { TestApp } from './app.js';
import { mailedToken } from './actors.js';
import type { Answer } from './http.js';
import { totpCode } from './totp.js';

/** One request of a `.http` file, in the form of docs/http/README.md. */
export interface FileRequest {
  readonly title: string;
  readonly expected: number;
  /** What a person does before: fills variables in, or runs a command. */
  readonly first: readonly string[];
  /** Which part of the answer a person puts into which variable. */
  readonly afterwards: readonly (readonly [variable: string, source: string])[];
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @throws Error that names the request which has no `# Expect`, or no request line. */
export function readRequests(path: string, text: string): FileRequest[] {
  return text
    .split(/^###/m)
    .slice(1)
    .map((block) => readRequest(path, block));
}

function readRequest(path: string, block: string): FileRequest {
  const [title = '', ...lines] = block.split('\n');
  const start = lines.findIndex((line) => /^[A-Z]+ \S+/.test(line));
  const notes = lines.slice(0, start).join('\n');
  const expected = /^# Expect (\d{3})$/m.exec(notes)?.[1];
  if (start < 0 || expected === undefined)
    throw new Error(`${path}: "${title.trim()}" needs a request line and # Expect`);
  const [method = '', target = ''] = (lines[start] ?? '').split(' ');
  const gap = lines.indexOf('', start);
  const end = gap < 0 ? lines.length : gap;
  const fields = lines
    .slice(start + 1, end)
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  const first = [...notes.matchAll(/^# First:? (.*)$/gm)].map(([, text = '']) => text);
  const afterwards = [...notes.matchAll(/^# Then @(\w+) = (.*)$/gm)].map(
    ([, variable = '', source = '']) => [variable, source] as const,
  );
  return {
    title: title.trim(),
    expected: Number(expected),
    first,
    afterwards,
    method,
    target,
    headers: Object.fromEntries(fields) as Record<string, string>,
    body: lines.slice(end).join('\n').trim(),
  };
}

/** The value of a variable as the file says it, with the variables that it names filled in. */
export function fill(file: string, text: string): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = new RegExp(`^@${name} = (.*)$`, 'm').exec(file)?.[1];
    if (value === undefined || value === '...') throw new Error(`{{${name}}} has no value`);
    return fill(file, value);
  });
}

/** Sends the request of that number out of the file as it stands now. */
export type Client = (file: string, index: number) => Promise<Answer>;

/** Goes through a file as a person does: sends its requests in their order, and edits its variables on the way. */
export class HttpFileRun {
  private file: string;
  /** What the newest enrolment showed, as an authenticator app would have scanned it. */
  private totpSecret = '';

  constructor(
    private readonly app: TestApp,
    private readonly path: string,
    private readonly client: Client,
  ) {
    this.file = readFileSync(path, 'utf8');
  }

  /** @returns for each request its title and status, and of what the file expects the same. */
  async walk(): Promise<{ readonly got: string[]; readonly expected: string[] }> {
    const requests = readRequests(this.path, this.file);
    const got: string[] = [];
    for (const [index, { title, first, afterwards }] of requests.entries()) {
      for (const text of first) await this.prepare(text);
      const answer = await this.client(this.file, index);
      got.push(`${title}: ${answer.status}`);
      if (typeof answer.body?.secret === 'string') this.totpSecret = answer.body.secret as string;
      for (const [variable, source] of afterwards) this.set(variable, partOf(answer, source));
    }
    return { got, expected: requests.map(({ title, expected }) => `${title}: ${expected}`) };
  }

  private async prepare(text: string): Promise<void> {
    const [, command, address = '', role = ''] = /^npm run cli -- (users:grant) (\S+) (\w+)$/.exec(text) ?? [];
    if (command !== undefined) return this.grant(fill(this.file, address), role);
    const [, variable = '', mailbox] = /^@(\w+) = (?:the token in the newest mail to (\S+))?/.exec(text) ?? [];
    // A person waits for the newest mail, too.
    if (mailbox !== undefined) await this.app.mailQuiet();
    this.set(
      variable,
      mailbox === undefined ? this.codeOfApp() : await mailedToken(this.app, fill(this.file, mailbox)),
    );
  }

  /** A code works once; the next one is half a minute away. */
  private codeOfApp(): string {
    this.app.clock.advance(30);
    return totpCode(this.totpSecret, this.app.clock.now());
  }

  /** What the operator's command does (test/cli runs the command itself). */
  private async grant(_email: string, role: string): Promise<void> {
    await this.app.operate(`UPDATE users SET roles = $1 WHERE id = $2`, [
      ['user', role],
      fill(this.file, '{{administratorId}}'),
    ]);
  }

  private set(variable: string, value: string): void {
    const edited = this.file.replace(new RegExp(`^@${variable} = .*$`, 'm'), () => `@${variable} = ${value}`);
    if (edited === this.file && !this.file.includes(`@${variable} = ${value}\n`))
      throw new Error(`${this.path} declares no @${variable}`);
    this.file = edited;
  }
}

/** `accessToken`, `items[0].id`, `header ETag, without its quotes`, or `header Set-Cookie, up to the semicolon`. */
function partOf({ headers, body }: Answer, source: string): string {
  const header = /^header ([\w-]+)/.exec(source)?.[1];
  if (header !== undefined) return headers[header.toLowerCase()]?.split(';')[0]?.replaceAll('"', '') ?? '';
  const keys = source.split(/[.[\]]/).filter((key) => key !== '');
  const value = keys.reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], body);
  if (typeof value !== 'string') throw new Error(`the answer has no ${source}`);
  return value;
}
