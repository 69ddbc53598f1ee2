export { RecoveryCodesModule } from './recovery-codes.module.js';
export { RecoveryCodes } from './recovery-codes.js';
