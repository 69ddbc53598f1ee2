export { AccountLock, accountStates, type AccountState, type Acting } from './account-lock.js';
export { ErasureService } from './erasure.service.js';
export { Tombstones } from './tombstones.js';
export { UsersModule } from './users.module.js';
export type { NewUser } from './users.repository.js';
export { UsersService } from './users.service.js';
