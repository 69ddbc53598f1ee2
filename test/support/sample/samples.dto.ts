import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import type { Relation } from '../../../src/common/access/policy.js';
import { PageQuery, PageView } from '../../../src/common/http/cursors.js';
import { OnlyWith } from '../../../src/common/http/fields-together.js';
import { ChoiceField, NestedField, NullableField, OptionalField, TextField } from '../../../src/common/http/fields.js';
import { SelectionField } from '../../../src/common/http/selection.js';
import { PartOf, ViewField } from '../../../src/common/http/view.js';

// A field of each form that a feature may have, so that every attack on inputs and answers finds one of them.

const visibilities = ['private', 'public'] as const;
type Visibility = (typeof visibilities)[number];

const WholeField = () =>
  applyDecorators(ApiProperty({ type: 'integer', minimum: 0, maximum: 100 }), IsInt(), Min(0), Max(100));

class Place {
  @TextField({ min: 1, max: 100, example: 'Archive' })
  room: string;

  @OptionalField()
  @WholeField()
  shelf?: number;
}

export class CreateSample {
  @TextField({ min: 1, max: 200, example: 'Minutes' })
  title: string;

  @TextField({ min: 0, max: 20_000, multiline: true, example: 'We met.' })
  body: string;

  @OptionalField()
  @ChoiceField(visibilities, 'private')
  visibility?: Visibility;

  @NullableField()
  @TextField({ min: 1, max: 2_000, multiline: true, example: 'Only for us.' })
  note?: string | null;

  @OptionalField()
  @WholeField()
  rank?: number;

  @OptionalField()
  @NestedField(() => Place)
  place?: Place;
}

export class UpdateSample {
  @OptionalField()
  @TextField({ min: 1, max: 200, example: 'Minutes' })
  title?: string;

  @ApiProperty({ description: 'Only the owner may send it.' })
  @OptionalField()
  @ChoiceField(visibilities)
  visibility?: Visibility;

  @NullableField()
  @TextField({ min: 1, max: 2_000, multiline: true, example: 'Only for us.' })
  note?: string | null;

  @OptionalField()
  @WholeField()
  rank?: number;
}

class PlaceView {
  @ViewField({ type: 'string' })
  room: string;

  @ViewField({ type: 'integer' })
  shelf?: number;
}

export class SampleView {
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
  rank: number;

  @ViewField({ view: () => PlaceView, nullable: true })
  place: PlaceView | null;

  @ViewField({ type: 'integer' })
  version: number;

  @ViewField({ type: 'string', format: 'date-time' })
  createdAt: Date;

  @ViewField({ type: 'string', format: 'date-time' })
  updatedAt: Date;
}

/** With `fields`, less of it. */
export class SamplePartView extends PartOf(SampleView) {}

export class SampleListView extends PageView {
  @ViewField({ view: () => SamplePartView, many: true })
  items: SamplePartView[];
}

export class FindSample {
  @OptionalField()
  @SelectionField(SampleView)
  fields?: string[];
}

/** What is in each list, and how the caller stands to all that is in it at least. */
export const relationIn = { owned: 'owner', shared: 'viewer', public: 'public' } as const satisfies Record<
  string,
  Relation
>;

export class ListSamples extends PageQuery {
  @OptionalField()
  @ChoiceField(Object.keys(relationIn), 'owned')
  scope?: keyof typeof relationIn;

  @OptionalField()
  @OnlyWith('scope', ['owned', 'shared', undefined])
  @TextField({ min: 1, max: 100, example: 'minutes' })
  q?: string;

  @OptionalField()
  @SelectionField(SampleView)
  fields?: string[];
}
