// The shape of what the generator writes from the schema. Prisma 7's client knows nothing of its schema at run time.

/** Which key-encryption key wraps the data keys of a field. */
export type FieldPurpose = 'pii' | 'jwt';

/** Whom a row is about: the value of a field of the row, or a constant for what is about nobody. */
export type Subject = { readonly field: string } | { readonly constant: string };

export interface EncryptedField {
  readonly name: string;
  /** The cryptographic name: part of every cell's associated data, so it outlives renaming in the schema. */
  readonly frozenName: string;
  /** Whose data key seals the field: the subject of its model. */
  readonly subject: Subject;
  readonly purpose: FieldPurpose;
  readonly index?: { readonly column: string; readonly unique: boolean };
}

export interface RelationField {
  readonly model: string;
  readonly list: boolean;
  /** True where this model has the foreign key. */
  readonly holdsKey: boolean;
  /** Field of the other model -> field of this model that has the same value. */
  readonly links: Readonly<Record<string, string>>;
}

export interface ModelFields {
  /** Its name in the database. */
  readonly table: string;
  /** As `@subject` above the model declares it. */
  readonly subject?: Subject;
  /** The single-field id; null for a model with a composite id, which cannot have encrypted fields. */
  readonly id: string | null;
  /** True when the application makes the id (a UUIDv7); false when it is a foreign key or no String. */
  readonly generatedId: boolean;
  /** Fields of PostgreSQL's type uuid, which come back in lower case however they were written. */
  readonly uuids: readonly string[];
  /** Fields that cells depend on (row id, subject, and what they refer to): they never change. */
  readonly fixed: readonly string[];
  /** Fields with `@updatedAt`, which Prisma would change with every update. */
  readonly updatedAt?: readonly string[];
  /** Field -> its column in the database, for every field that has one. */
  readonly columns: Readonly<Record<string, string>>;
  /** Field -> its type in the schema and in the database: `String`, `String[]`, `String Uuid`, `String?`. */
  readonly types: Readonly<Record<string, string>>;
  readonly encrypted: Readonly<Record<string, EncryptedField>>;
  readonly relations: Readonly<Record<string, RelationField>>;
}

export type FieldMap = Readonly<Record<string, ModelFields>>;
