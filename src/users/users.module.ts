// Remove: not by itself; every principal is one of its accounts.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../cli/index.js';
import { Cursors } from '../common/http/cursors.js';
import { AccountLock } from './account-lock.js';
import { AccountsService } from './accounts.service.js';
import { dbAfterRestore } from './after-restore.command.js';
import { ErasureService } from './erasure.service.js';
import { Tombstones } from './tombstones.js';
import { usersErase } from './users-erase.command.js';
import { usersGrant } from './users-grant.command.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@ServesCommands(usersGrant, usersErase, dbAfterRestore)
@Module({
  controllers: [UsersController],
  providers: [AccountLock, Cursors, AccountsService, ErasureService, Tombstones, UsersRepository, UsersService],
  exports: [AccountLock, ErasureService, Tombstones, UsersService],
})
export class UsersModule {}
