export { accountStates, AccountStanding, type AccountState, type Acting } from './account-standing.js';
export { Erasure } from './erasure.js';
export { Tombstones } from './tombstones.js';
export { UsersModule } from './users.module.js';
export { UsersService } from './users.service.js';
