export { addNext, KeyRingEditor, promote, type RingLock } from '../keys/key-ring-editor.js';
export { encryptExisting, forecastDataKeys, replaceDataKeys, verify } from './cell-commands.js';
export { readStatus, statusTable, type KeyStatus } from './key-status.js';
export { cellKeyUses, type KeyUse, type Moved } from './key-uses.js';
export type { Waits } from './reencryption.js';
export { planRotation, retire, retireBlocker, rotate } from './rotation.js';
export { exitCode, exitCodes, type Progress, type Run } from './run.js';
export { StoredCells } from './stored-cells.js';
export type { StoredClient } from './stored-client.js';
