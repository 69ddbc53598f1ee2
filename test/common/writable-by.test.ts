import { describe, expect, it } from 'vitest';
import type { ObjectPolicy } from '../../src/common/policy.js';
import type { Principal } from '../../src/common/principal.js';
import type { SecurityEvents } from '../../src/common/security-events.js';
import { locked, WritableBy, writing } from '../../src/common/writable-by.js';
import { UpdateResource } from '../../src/resources/resources.dto.js';
import { InputPipe } from '../../src/security/validation/input.pipe.js';

interface Where {
  readonly who?: string;
  OR?: Where[];
  AND?: Where[];
}
const rule = (who: string): ObjectPolicy<string, Where> => ({ can: (_, object) => object === who, scope: () => ({ who }) });
const standings = { owner: rule('owner'), editor: rule('editor') };
const anybody: ObjectPolicy<string, Where> = { can: () => true, scope: () => ({}) };
const somebody = {} as Principal;

class Changes {
  title?: string;

  @WritableBy('owner')
  visibility?: string;

  @WritableBy('owner', 'editor')
  note?: string;
}

class MoreChanges extends Changes {}

/** What was not sent is no property, as after validation. */
const received = <T extends object>(dto: new () => T, sent: object) => Object.assign(Object.create(dto.prototype as object) as T & Record<string, unknown>, sent);

describe('fields that not everybody may write [API3] [ASVS 8.2.3]', () => {
  it.each<[Changes, string[]]>([
    [{}, ['owner', 'editor', 'viewer']],
    [{ title: 'x' }, ['owner', 'editor', 'viewer']],
    [{ note: 'x' }, ['owner', 'editor']],
    [{ visibility: 'public' }, ['owner']],
    [{ title: 'x', note: 'x', visibility: 'public' }, ['owner']],
  ])('%j: only for %j', (changes, allowed) => {
    for (const dto of [Changes, MoreChanges]) {
      const policy = writing(anybody, standings, received(dto, changes));
      expect(['owner', 'editor', 'viewer'].filter((who) => policy.can(somebody, who))).toEqual(allowed);
    }
  });

  it('never gives more than the policy of the action', () => {
    const policy = writing(rule('editor'), standings, received(Changes, { visibility: 'public' }));
    expect(['owner', 'editor'].some((who) => policy.can(somebody, who))).toBe(false);
    expect(policy.scope(somebody)).toEqual({ AND: [{ who: 'editor' }, { OR: [{ who: 'owner' }] }] });
  });

  it('a field whose standing the objects do not have: refused, sent or not, because nobody could tell who that is', () => {
    class Unclear {
      @WritableBy('viewer')
      title?: string;
    }
    for (const sent of [{}, { title: 'x' }]) expect(() => writing(anybody, standings, received(Unclear, sent))).toThrow('title is writable by viewer');
  });

  it('a service that forgets writing() cannot read what it would have to ask for; all else it can', () => {
    const changes = locked(received(MoreChanges, { title: 'x', visibility: 'public' }));
    expect([changes.title, changes.note, Object.keys(changes)]).toEqual(['x', undefined, ['title', 'visibility']]);
    for (const read of [() => changes.visibility, () => ({ ...changes }), () => structuredClone(changes), () => JSON.stringify(changes)]) expect(read).toThrow('visibility is @WritableBy()');
    writing(anybody, standings, changes);
    expect({ ...changes }).toEqual({ title: 'x', visibility: 'public' });
  });

  it('every handler gets its input closed', () => {
    const input = new InputPipe({} as SecurityEvents).transform({ title: 'x', visibility: 'public' }, { type: 'body', metatype: UpdateResource }) as UpdateResource;
    expect(input.title).toBe('x');
    expect(() => input.visibility).toThrow('visibility is @WritableBy()');
  });

  it('a field of an object inside the input stays closed: writing() speaks of the fields of the input alone', () => {
    const changes = { inner: received(Changes, { visibility: 'public' }) };
    writing(anybody, standings, locked(changes));
    expect(() => changes.inner.visibility).toThrow('visibility is @WritableBy()');
  });
});
