import type { ApiPropertyOptions } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { shapeOf, ViewField } from '../../src/common/view.js';
import { ExportView } from '../../src/users/export.view.js';

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
    expect(shapeOf(fieldOf({ type: 'string', format: 'date-time' }))({ field: 'x', secret: 'y' })).toEqual({ field: 'x' });
    expect(shapeOf(fieldOf({ type: 'array', items: { type: 'integer' } }))({ field: [1] })).toEqual({ field: [1] });
  });

  it.each(['sessions', 'resources', 'received', 'events'])('a column that is added to %s tomorrow stays out of the export', (section) => {
    const exported = shapeOf(ExportView)({ [section]: [{ id: '1', canary: 'canary', shares: [{ userId: '2', canary: 'canary' }] }] });
    expect(exported).toHaveProperty(section);
    expect(JSON.stringify(exported)).not.toContain('canary');
  });
});
