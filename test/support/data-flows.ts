import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Actor } from './actors.js';
import type { TestApp } from './app.js';
import type { Authority } from './tls-servers.js';

/** Values that a person entrusts to the service. */
export interface Planted {
  readonly email: string;
  readonly name: string;
  readonly phone: string;
  readonly note: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly mailedToken: string;
}

/** Everything that is run at once. */
export interface Run {
  readonly app: TestApp;
  readonly env: Readonly<Record<string, string>>;
  readonly person: Actor;
  /** Somebody else signs up, signs in and leaves their data. */
  live(): Promise<unknown>;
}

/** In `data-flow.ts`, or a name that ends so, beside the tests of whatever sends something to another host. */
export interface DataFlow {
  /** Of its row in docs/data-flows.md. */
  readonly variable: string;
  /** Where it listens for this run, on this machine. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** What may be written there, beside what nobody planted. */
  readonly mayHave?: readonly (keyof Planted)[];
  /** Makes the service use it, as a client of the API does. */
  use(run: Run): Promise<unknown>;
  close(): Promise<unknown>;
}

/** @returns undefined when this profile has none of it. */
export type OpenDataFlow = (authority: Authority, app: TestApp) => Promise<DataFlow | undefined>;

/** One after the other: some set a variable that another one sets too, and use it in their turn. */
export async function openDataFlows(authority: Authority, app: TestApp): Promise<DataFlow[]> {
  const flows: DataFlow[] = [];
  for (const file of globSync('test/**/*data-flow.ts').toSorted()) {
    const { openDataFlow } = (await import(resolve(file))) as { openDataFlow: OpenDataFlow };
    const flow = await openDataFlow(authority, app);
    if (flow !== undefined) flows.push(flow);
  }
  return flows;
}
