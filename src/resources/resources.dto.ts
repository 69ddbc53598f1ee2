import { ChoiceField, IdField, NullableField, OptionalField, TextField, WholeQueryField } from '../common/fields.js';
import { ViewField } from '../common/view.js';

export const visibilities = ['private', 'public'] as const;
export const shareRoles = ['viewer', 'editor'] as const;
export type ShareRole = (typeof shareRoles)[number];

export class CreateResource {
  @TextField({ min: 1, max: 200, example: 'Minutes' })
  title: string;

  @TextField({ min: 0, max: 20_000, multiline: true, example: 'We met.' })
  body: string;

  @OptionalField()
  @ChoiceField(visibilities, 'private')
  visibility?: (typeof visibilities)[number];

  @NullableField()
  @TextField({ min: 1, max: 2_000, multiline: true, example: 'Only for us.' })
  note?: string | null;
}

export class UpdateResource {
  @OptionalField()
  @TextField({ min: 1, max: 200, example: 'Minutes' })
  title?: string;

  @OptionalField()
  @TextField({ min: 0, max: 20_000, multiline: true, example: 'We met.' })
  body?: string;

  @OptionalField()
  @ChoiceField(visibilities)
  visibility?: (typeof visibilities)[number];

  @NullableField()
  @TextField({ min: 1, max: 2_000, multiline: true, example: 'Only for us.' })
  note?: string | null;
}

export const listScopes = ['owned', 'shared', 'public'] as const;

export class ListResources {
  @OptionalField()
  @ChoiceField(listScopes, 'owned')
  scope?: (typeof listScopes)[number];

  @OptionalField()
  @WholeQueryField({ min: 1, max: 100, fallback: 20 })
  limit?: number;

  @OptionalField()
  @IdField()
  cursor?: string;
}

export class ShareParams {
  @IdField()
  id: string;

  @IdField()
  userId: string;
}

export class PutShare {
  @ChoiceField(shareRoles)
  role: ShareRole;
}

export class ResourceView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string', format: 'uuid' })
  ownerId: string;

  @ViewField({ type: 'string' })
  title: string;

  @ViewField({ type: 'string' })
  body: string;

  @ViewField({ type: 'string', enum: [...visibilities] })
  visibility: string;

  @ViewField({ type: 'string', nullable: true, required: false, description: 'Only for the owner and editors.' })
  note?: string | null;

  @ViewField({ type: 'integer' })
  version: number;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ViewField({ type: 'string', format: 'date-time' })
  updatedAt: Date;
}

export class ResourceListView {
  @ViewField({ view: () => ResourceView, many: true })
  items: ResourceView[];

  @ViewField({ type: 'string', nullable: true, description: 'Pass it as `cursor` to get the next page.' })
  nextCursor: string | null;
}

export class ShareView {
  @ViewField({ type: 'string', format: 'uuid' })
  userId: string;

  @ViewField({ type: 'string', enum: [...shareRoles] })
  role: string;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;
}

export class ShareListView {
  @ViewField({ view: () => ShareView, many: true })
  items: ShareView[];
}
