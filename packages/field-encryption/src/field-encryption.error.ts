/** What is wrong with stored data: someone or something changed it, or a key is gone. Reported through `onFault`. */
export type FaultCode =
  | 'not-a-cell'
  | 'broken-cell'
  | 'foreign-key'
  | 'unknown-key'
  | 'destroyed-key'
  | 'broken-key'
  | 'index-mismatch'
  | 'stray-cell'
  | 'missing-row-id';

/** What a caller asked for that sealed fields cannot do, or cannot do safely. The message tells what to do instead. */
export type MisuseCode =
  | 'unknown-model'
  | 'unsupported-operation'
  | 'unsupported-filter'
  | 'unsupported-order'
  | 'unsupported-aggregate'
  | 'unsupported-nested-write'
  | 'bulk-write'
  | 'bad-value'
  | 'bad-identifier'
  | 'fixed-field'
  | 'index-by-hand'
  | 'unknown-row'
  | 'foreign-transaction'
  | 'key-contention';

/** A fault of the stored data, for the security log: names and ids, never a value. */
export interface FieldFault {
  readonly model: string;
  readonly field?: string;
  readonly rowId?: string;
  readonly code: FaultCode;
}

/** The only error of field encryption. Neither message nor properties hold a value, a key or a cell. */
export class FieldEncryptionError extends Error {
  override readonly name = 'FieldEncryptionError';

  constructor(
    readonly code: FaultCode | MisuseCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** @throws FieldEncryptionError */
export function throwMisuse(code: MisuseCode, message: string): never {
  throw new FieldEncryptionError(code, message);
}
