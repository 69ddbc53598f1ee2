import type { ServerResponse } from 'node:http';

/** What a test makes a stub do instead of its work. */
export type Refusal =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  /** Takes the request and never answers. */
  | 'hang';

export function refuse(refusal: Refusal, response: ServerResponse): void {
  if (refusal !== 'hang')
    response.writeHead(refusal.status, { 'content-type': 'application/json', ...refusal.headers }).end(refusal.body);
}
