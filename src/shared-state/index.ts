export { checkRedis } from './redis-connection.js';
export { rememberedMs, SharedState } from './shared-state.js';
export { SharedStateModule } from './shared-state.module.js';
