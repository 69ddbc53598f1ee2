export { DataProtectionModule } from './data-protection.module.js';
export { ringKnownMs } from './key-ring-reload.js';
export { openKeyWrappers } from './key-wrappers/key-wrappers.js';
export { PasswordHasher } from './password-hasher.js';
export { ringLock } from './ring-lock.js';
