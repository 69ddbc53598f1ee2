import { ApiProperty } from '@nestjs/swagger';
import { PageQuery, PageView } from '../common/http/cursors.js';
import { ChoiceField, IdField, NullableField, OptionalField, TextField } from '../common/http/fields.js';
import { OnlyWith } from '../common/http/fields-together.js';
import type { Relation } from '../common/access/policy.js';
import { SelectionField } from '../common/http/selection.js';
import { PartOf, ViewField } from '../common/http/view.js';

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

  // resource.policy.ts says so.
  @ApiProperty({ description: 'Only the owner may send it.' })
  @OptionalField()
  @ChoiceField(visibilities)
  visibility?: (typeof visibilities)[number];

  @NullableField()
  @TextField({ min: 1, max: 2_000, multiline: true, example: 'Only for us.' })
  note?: string | null;
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

  @ViewField({ type: 'string', nullable: true, readableBy: ['owner', 'editor'] })
  note?: string | null;

  @ViewField({ type: 'integer' })
  version: number;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ViewField({ type: 'string', format: 'date-time' })
  updatedAt: Date;
}

/** With `fields`, less of it. */
export class ResourcePartView extends PartOf(ResourceView) {}

export class ResourceListView extends PageView {
  @ViewField({ view: () => ResourcePartView, many: true })
  items: ResourcePartView[];
}

export class FindResource {
  @OptionalField()
  @SelectionField(ResourceView)
  fields?: string[];
}

/** What is in each list, and how the caller stands to all that is in it at least: that decides what is read of it. */
export const relationIn = { owned: 'owner', shared: 'viewer', public: 'public' } as const satisfies Record<
  string,
  Relation
>;
export type ListScope = keyof typeof relationIn;

export class ListResources extends PageQuery {
  @OptionalField()
  @ChoiceField(Object.keys(relationIn), 'owned')
  scope?: ListScope;

  // Not among what is public: that search would cost with the table (OWASP API4).
  @OptionalField()
  @OnlyWith('scope', ['owned', 'shared', undefined])
  @TextField({ min: 1, max: 100, example: 'minutes' })
  q?: string;

  @OptionalField()
  @SelectionField(ResourceView)
  fields?: string[];
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
