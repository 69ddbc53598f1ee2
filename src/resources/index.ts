export { resourcePolicy } from './resource.policy.js';
export { ResourcesModule } from './resources.module.js';
export { type ShareRole, shareRoles, ShareView } from './resources.dto.js';
export { SharesService } from './shares.service.js';
