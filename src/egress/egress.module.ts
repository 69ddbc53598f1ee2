// Threat: the service asked to fetch what only it can reach: metadata, loopback, neighbours (SSRF, OWASP API7, ASVS
// v5.0.0-1.3.6); another service that is slow, huge or down, and takes this one along.
// Does: asks only the origins that a feature declares for its purpose; https to public addresses, checked at connect
// time; no redirects; bounds of time and size; a circuit. The links to database, Redis and mail are no HTTP.
// Remove: not by itself; key services are asked through it, and every feature that asks another service.
import { Global, Module } from '@nestjs/common';
import { Measures } from '../common/events/measures.js';
import { Egress } from './egress.js';

@Global()
@Module({ providers: [Egress], exports: [Egress] })
export class EgressModule {
  constructor(egress: Egress, measures: Measures) {
    measures.add({
      name: 'egress_circuits_open',
      help: 'Origins that are not asked for a while because they failed, by the variable that names them.',
      labels: ['variable'],
      read: () => [...egress.openCircuits()].map(([variable, value]) => ({ labels: { variable }, value })),
    });
  }
}
