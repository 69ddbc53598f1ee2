// Threat: more work than the process can do: all requests wait for each other, and none is answered in time (OWASP
// API4, ASVS v5.0.0-15.2.2).
// Does: refuses guests, then everybody, with 503 while the event loop or the line for a database connection is late.
// Does not: tell good callers from bad ones; that is what limits are for (rate-limiting).
// Remove: npm run remove load-shedding; a gateway in front has to bound what waits.
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Measures } from '../../common/events/measures.js';
import { LoadSheddingGuard } from './load-shedding.guard.js';
import { Load } from './load.js';

/** Stands after authentication in app.module.ts: who is signed in is known there. */
@Module({ providers: [Load, LoadSheddingGuard, { provide: APP_GUARD, useExisting: LoadSheddingGuard }] })
export class LoadSheddingModule {
  constructor(measures: Measures, load: Load, guard: LoadSheddingGuard) {
    measures.add({
      name: 'load_delay_seconds',
      help: 'By how much answers are late: the event loop, or the line for a database connection.',
      read: () => load.delayMs / 1000,
    });
    measures.add({
      name: 'requests_shed_total',
      help: 'Requests that were refused because of load.',
      labels: ['caller'],
      read: () => Object.entries(guard.shed).map(([caller, value]) => ({ labels: { caller }, value })),
    });
  }
}
