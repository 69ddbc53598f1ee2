import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ProblemFilter } from './problem.filter.js';
import { ProblemPagesController } from './problem-pages.controller.js';

// Threat: errors that tell an attacker about SQL, paths, versions or other people, or that differ where they must not.
// Does: RFC 9457 from every layer (filter here; router and parser by the functions that app.ts hands to the listener),
// 405 with Allow, 401 with a challenge, faults logged in full under the request id; a page per type of problem.
// Remove: not by itself; every refusal is a problem that it writes, and so are the listener's own errors in app.ts.
@Module({ controllers: [ProblemPagesController], providers: [{ provide: APP_FILTER, useClass: ProblemFilter }] })
export class ErrorsModule {}
