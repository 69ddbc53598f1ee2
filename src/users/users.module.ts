import { Module } from '@nestjs/common';
import { Cursors } from '../common/cursors.js';
import { AccountErasure } from './account-erasure.js';
import { AccountExport } from './account-export.js';
import { AccountStanding } from './account-standing.js';
import { AccountsService } from './accounts.service.js';
import { DeclaredExport } from './declared-export.js';
import { ErasedSubjects } from './erased-subjects.js';
import { Erasure } from './erasure.js';
import { Tombstones } from './tombstones.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({ controllers: [UsersController], providers: [AccountErasure, AccountExport, AccountStanding, Cursors, AccountsService, DeclaredExport, ErasedSubjects, Erasure, Tombstones, UsersRepository, UsersService], exports: [AccountStanding, Erasure, Tombstones, UsersService] })
export class UsersModule {}
