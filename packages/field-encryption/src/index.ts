export { fieldKey, openCell, sealCell } from './cells/cell.js';
export { lengthPrefixed } from './cells/aes-gcm.js';
export { findColumnFaults } from './extension/column-faults.js';
export {
  protectFields,
  sealerOf,
  type DirectRead,
  type ProtectOptions,
  type StoredRow,
} from './extension/protect-fields.js';
export { FieldEncryptionError, type FaultCode, type FieldFault } from './field-encryption.error.js';
export type { FieldMap, ModelFields } from './field-map.js';
export { DataKeyCache } from './keys/data-key.js';
export { KeyRing, isOpenToOthers } from './keys/key-ring.js';
export { KeyRingError } from './keys/key-ring.format.js';
export type { KeySource } from './keys/key-wrapper.js';
export { LocalKeyWrapper, type KeyWrapper } from './keys/key-wrapper.js';
