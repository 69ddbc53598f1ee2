export { resourcePermissions, resourcePolicy } from './resource.policy.js';
export { ResourcesModule } from './resources.module.js';
export { type ShareRole, shareRoles, ShareView } from './resources.dto.js';
export { ResourcesPageModule } from './resources-page/resources-page.module.js';
export { SharesService } from './shares.service.js';
