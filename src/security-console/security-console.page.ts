import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InternalPages, type InternalPage } from '../common/http/internal-pages.js';
import { CONFIG, type Config } from '../config/index.js';
import { Observations, type Second } from './observations.js';
import { consolePage } from './page.js';
import { consoleScript } from './page.script.js';
import { consoleStyle } from './page.style.js';

const path = '/console';
const everyMs = 1_000;
/** Measures are read from the database, too. */
const measuredEvery = 5;
/** Each holds a connection and is written to every second. */
const maxWatchers = 10;

/** Nothing runs or loads but what the page brings from here (ASVS v5.0.0-3.4.3). */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

/**
 * What an operator looks at while developing, or in a drill. It knows addresses and ids, and asks nobody who they are:
 * in production it does not exist. There the same figures are metrics.
 */
@Injectable()
export class SecurityConsolePage implements OnModuleInit, OnApplicationShutdown {
  private readonly end = new AbortController();
  private watchers = 0;

  constructor(
    private readonly observations: Observations,
    private readonly pages: InternalPages,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (!this.config.production) this.pages.add(path, (requested) => this.answer(requested));
  }

  onApplicationShutdown(): void {
    this.end.abort();
  }

  private answer(requested: string): InternalPage {
    const files: Readonly<Record<string, () => InternalPage>> = {
      [path]: () => file('text/html', consolePage),
      [`${path}/console.js`]: () => file('text/javascript', consoleScript),
      [`${path}/console.css`]: () => file('text/css', consoleStyle),
      [`${path}/live`]: () => this.live(),
    };
    return files[requested]?.() ?? { ...file('text/plain', 'There is no such page.'), status: 404 };
  }

  private live(): InternalPage {
    if (this.watchers >= maxWatchers) return { ...file('text/plain', 'Too many pages watch.'), status: 503 };
    return { status: 200, contentType: 'text/event-stream', policy, body: this.follow() };
  }

  /** The last ten minutes at once, then every second what is new (server-sent events, WHATWG HTML section 9.2). */
  private async *follow(): AsyncGenerator<string, void> {
    this.watchers += 1;
    try {
      let seen = 0;
      for (let round = 0; !this.end.signal.aborted; round += 1) {
        const seconds = this.observations.history().filter(({ at }) => at > seen);
        seen = seconds.at(-1)?.at ?? seen;
        yield message(await this.news(seconds, round % measuredEvery === 0));
        await pause(everyMs, undefined, { signal: this.end.signal }).catch(() => undefined);
      }
    } finally {
      this.watchers -= 1;
    }
  }

  private async news(seconds: readonly Second[], isMeasured: boolean) {
    const alerts = this.observations.alerts();
    const events = this.observations.eventCounts();
    return { seconds, alerts, events, ...(isMeasured && { measures: await this.observations.readMeasures() }) };
  }
}

const file = (type: string, body: string): InternalPage => ({
  status: 200,
  contentType: `${type}; charset=utf-8`,
  policy,
  body,
});

/** JSON has no line breaks, which would end the message. */
const message = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
