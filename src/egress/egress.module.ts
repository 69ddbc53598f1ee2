// Threat: the service asked to fetch what only it can reach: metadata, loopback, neighbours (SSRF, OWASP API7, ASVS v5.0.0-1.3.6).
// Does: https to port 443 of public addresses only, checked at connect time; no redirects; bounds of time and size.
// Does not: limit which public hosts are asked; network policy does. The links to database, Redis, key services and mail are not HTTP of ours.
// Remove: with the last feature that asks other services; the breached-password list of auth/password is one.
import { Module } from '@nestjs/common';
import { Egress } from './egress.js';

@Module({ providers: [Egress], exports: [Egress] })
export class EgressModule {}
