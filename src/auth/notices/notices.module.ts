// Threat: somebody else changes how an account is entered, and its owner learns of it when it is too late (ASVS
// v5.0.0-6.3.5, 6.3.7).
// Does: mails the person concerned about each change that a feature declares a notice for, in the
// transaction of the change.
// Does not: tell of wrong passwords (the limits answer those), or reach people by another way than mail.
// Remove: npm run remove notices; nobody is told of anything then.
import { Global, Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { Notices } from './notices.js';

@ServesCommands()
@Global()
@Module({ providers: [Notices], exports: [Notices] })
export class NoticesModule {}
