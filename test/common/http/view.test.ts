import type { ApiPropertyOptions } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { PartOf, serialize, shapeOf, ViewField } from '../../../src/common/http/view.js';
import { ExportView } from '../../../src/common/events/personal-data.js';

class NoView {}

const fieldOf = (options: ApiPropertyOptions) => {
  class SomeView {}
  ViewField(options)(SomeView.prototype, 'field');
  return SomeView;
};

describe('views: only what is declared leaves [API3] [ASVS 15.3.1]', () => {
  it.each<[string, ApiPropertyOptions]>([
    ['an object', { type: 'object', additionalProperties: true }],
    ['a list of objects', { type: 'array', items: { type: 'object' } }],
    ['a list of lists of objects', { type: 'array', items: { type: 'array', items: { type: 'object' } } }],
    ['a list of anything', { type: 'array', items: {} }],
    ['anything', {}],
    ['a class without a view', { type: NoView }],
    ['a class that is told later', { type: () => NoView }],
  ])('declares %s as a plain field: refused, because all of it would leave', (_, options) => {
    expect(() => shapeOf(fieldOf(options))).toThrow(TypeError);
    expect(() => shapeOf(fieldOf(options))).toThrow('SomeView.field may hold anything');
  });

  it('scalars and lists of them are plain fields', () => {
    expect(shapeOf(fieldOf({ type: 'string', format: 'date-time' }))({ field: 'x', secret: 'y' })).toEqual({
      field: 'x',
    });
    expect(shapeOf(fieldOf({ type: 'array', items: { type: 'integer' } }))({ field: [1] })).toEqual({ field: [1] });
  });

  it.each(['sessions', 'events'])('a column that is added to %s tomorrow stays out of the export', (section) => {
    const exported = shapeOf(ExportView)({
      [section]: [{ id: '1', canary: 'canary' }],
    });
    expect(exported).toHaveProperty(section);
    expect(JSON.stringify(exported)).not.toContain('canary');
  });
});

class Secretive {
  @ViewField({ type: 'string' })
  title: string;

  @ViewField({ type: 'string', readableBy: ['owner', 'editor'] })
  note: string;
}

class SecretiveList {
  @ViewField({ view: () => Secretive, many: true })
  items: Secretive[];
}

describe('views: fields that not everybody may read [API3] [ASVS 8.2.3]', () => {
  const row = { title: 't', note: 'n' };

  it('leave for the relations that are named, and for no other', () => {
    expect(serialize(Secretive, { relation: 'viewer' }, row)).toMatchObject({ title: 't', note: undefined });
    expect(shapeOf(Secretive)(serialize(Secretive, { relation: 'editor' }, row))).toEqual(row);
    for (const relation of ['viewer', 'public', undefined] as const)
      expect(shapeOf(Secretive)(serialize(Secretive, { relation }, row))).toEqual({ title: 't' });
  });

  it('stay inside when nobody has said how the caller stands to the object, alone or in a list', () => {
    expect(shapeOf(Secretive)(row)).toEqual({ title: 't' });
    expect(shapeOf(SecretiveList)({ items: [row, serialize(Secretive, { relation: 'owner' }, row)] })).toEqual({
      items: [{ title: 't' }, row],
    });
  });

  it('cannot be opened by a value that came as JSON', () => {
    const forged = JSON.parse(
      '{"title":"t","note":"n","relation":"owner","seen":{"relation":"owner"},"Symbol(seen)":{"relation":"owner"}}',
    ) as object;
    expect(shapeOf(Secretive)(forged)).toEqual({ title: 't' });
  });

  it('are narrowed further, and never widened, by the fields that the caller wants', () => {
    expect(shapeOf(PartOf(Secretive))(serialize(Secretive, { relation: 'owner', fields: ['note'] }, row))).toEqual({
      note: 'n',
    });
    expect(shapeOf(PartOf(Secretive))(serialize(Secretive, { relation: 'viewer', fields: ['note'] }, row))).toEqual({});
    expect(
      shapeOf(PartOf(Secretive))(
        serialize(Secretive, { relation: 'owner', fields: ['hidden'] }, { ...row, hidden: 'h' }),
      ),
    ).toEqual({});
  });

  it('an unknown relation does not compile', () => {
    // @ts-expect-error -- there is no such relation
    const declare = () => ViewField({ type: 'string', readableBy: ['boss'] });
    expect(declare()).toBeTypeOf('function');
  });
});
