// Threat: an attack that everybody could see, and nobody looks at, because it takes three tools to look (API9).
// Does: /console on the internal listener while developing: rates, refusals, sign-ins, alerts, events, keys and
// certificates by age, live.
// Does not: exist in production, where metrics and dashboards show the same; change anything.
// Remove: npm run remove security-console; nothing else shows the last ten minutes of a running service at a glance.
import { Module } from '@nestjs/common';
import { Observations } from './observations.js';
import { SecurityConsolePage } from './security-console.page.js';

@Module({ providers: [Observations, SecurityConsolePage] })
export class SecurityConsoleModule {}
