import { dirname, join } from 'node:path';
import { citationsIn, type Citation } from '../citations.ts';
import { blocksOf, type Block } from './markdown.ts';
import type { Project } from './project.ts';

/** Says what was, and stays as it is. */
const history = /^CHANGELOG\.md$/;
const printed = /^docs\/inventory\.md$/;

/**
 * Takes out of every document what cites something that goes: the row of a table or the item of a list, the sentence of
 * a paragraph, the line of an example, and headings with nothing left under them.
 * @param before whether something was there before the removal.
 * @param after whether it is still there.
 */
export function editDocuments(project: Project, before: Existence, after: Existence): void {
  let changed = true;
  while (changed) {
    changed = false;
    for (const path of project.files(/\.md$/).filter((file) => !history.test(file) && !printed.test(file))) {
      const text = project.text(path);
      const goes = (citation: Citation) => before(path, citation) && !after(path, citation);
      const edited = withoutCitations(path, text, goes);
      if (edited === text) continue;
      project.changes.edit(path, () => edited);
      changed = true;
    }
  }
}

export type Existence = (citing: string, citation: Citation) => boolean;

/** Whether a path, file, folder, script, command or link is there; all else always is. */
export function existenceIn(
  files: ReadonlySet<string>,
  texts: (path: string) => string,
  words: ReadonlySet<string>,
): Existence {
  const folders = new Set([...files].flatMap(parentsOf));
  const has = (path: string) => files.has(path) || folders.has(path.replace(/\/$/, ''));
  const basenames = new Set([...files].flatMap(endingsOf));
  return (citing, { kind, id }) => {
    if (kind === 'path') return has(id) || id.startsWith('src/generated');
    if (kind === 'file') return basenames.has(id);
    if (kind === 'folder') return has(`src/${id}`) || has(id);
    if (kind === 'script' || kind === 'command') return words.has(id);
    if (kind !== 'link' || /^[a-z]+:/.test(id)) return true;
    const [target = '', heading] = id.split('#');
    const page = target === '' ? citing : join(dirname(citing), target);
    return has(page) && (heading === undefined || headingsOf(texts(page)).includes(heading));
  };
}

const parentsOf = (path: string): string[] => {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
};
const endingsOf = (path: string): string[] => path.split('/').map((_, index, words) => words.slice(index).join('/'));
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** As GitHub names a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

export function withoutCitations(path: string, text: string, goes: (citation: Citation) => boolean): string {
  const indexes = citationsIn(path, text).flatMap((citation) => (goes(citation) ? [citation.index] : []));
  if (indexes.length === 0) return text;
  const blocks = blocksOf(text).map((block) => {
    const inside = indexes.flatMap((index) =>
      index >= block.start && index < block.start + block.text.length ? [index - block.start] : [],
    );
    return inside.length === 0 ? block : { ...block, text: withoutPlaces(block, inside) };
  });
  return withoutEmptySections(blocks)
    .map((block) => block.text)
    .join('')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()
    .concat('\n');
}

function withoutPlaces({ kind, text }: Block, places: readonly number[]): string {
  if (kind === 'heading') return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  if (kind === 'line') return '';
  if (kind === 'row') return withoutCells(text, places);
  return withoutSentences(text, places);
}

/** Lists in a cell lose an item; a row goes with the last one. */
function withoutCells(row: string, places: readonly number[]): string {
  let start = 0;
  let isEmptied = false;
  const cells = row.split(/(?<!\\)\|/).map((cell) => {
    const inside = places
      .filter((place) => place >= start && place < start + cell.length)
      .map((place) => place - start);
    start += cell.length + 1;
    if (inside.length === 0) return cell;
    const items = isList(cell) ? withoutItems(cell, inside) : withoutSentences(cell, inside);
    isEmptied ||= items.trim() === '';
    return ` ${items.trim()} `;
  });
  return isEmptied ? '' : cells.join('|');
}

const item = String.raw`(?:\[[^\]]*\]\([^)]*\)|${'`'}[^${'`'}]*${'`'})`;
const isList = (cell: string): boolean => new RegExp(String.raw`^\s*${item}(?:(?:,| and|;) ${item})*\s*$`).test(cell);

function withoutItems(cell: string, places: readonly number[]): string {
  const items = [...cell.matchAll(new RegExp(item, 'g'))];
  return items
    .filter(({ 0: text, index }) => places.every((place) => place < index || place >= index + text.length))
    .map(([text]) => text)
    .join(', ');
}

/** A sentence, or the parenthesis in it that holds the place. */
function withoutSentences(text: string, places: readonly number[]): string {
  let rest = text;
  for (const place of places.toSorted((one, other) => other - one)) {
    const [start, end] = parenthesisAt(rest, place) ?? sentenceAt(rest, place);
    rest = `${rest.slice(0, start)}${rest.slice(end)}`;
  }
  // A lead without its sentences says nothing.
  return rest.replace(/^(?:[-*]|\d+\.)?\s*(?:\*\*[^*]*\*\*)?\s*$/, '').replaceAll(/[ \t]+$/gm, '');
}

function parenthesisAt(text: string, place: number): readonly [number, number] | undefined {
  for (const { 0: found, index } of text.matchAll(/ \((?:[^()]|\]\([^()]*\))*\)/g)) {
    if (!found.includes('](') && !found.includes('`')) continue;
    if (place > index && place < index + found.length) return [index, index + found.length];
  }
  return undefined;
}

/** From the end of the sentence before it to its own end. */
function sentenceAt(text: string, place: number): readonly [number, number] {
  const ends = [...text.matchAll(/[.!?](?:\*\*|`|\))?(?=\s|$)/g)].map(({ 0: found, index }) => index + found.length);
  const opening = /^\s*(?:(?:[-*]|\d+\.) +)?/.exec(text)?.[0].length ?? 0;
  const start = ends.findLast((end) => end <= place) ?? opening;
  const end = ends.find((each) => each > place) ?? text.trimEnd().length;
  return start === opening ? [start, end + (/^\s*/.exec(text.slice(end).trimEnd())?.[0].length ?? 0)] : [start, end];
}

/** A heading that had something under it goes with it. */
function withoutEmptySections(blocks: readonly Block[]): Block[] {
  const kept = blocks.filter(({ text }) => text !== '');
  return kept.filter((block, index) => {
    if (block.kind !== 'heading') return true;
    const next = kept.slice(index + 1).find(({ text }) => text.trim() !== '');
    const original = blocks
      .slice(blocks.indexOf(block) + 1)
      .find(({ text, kind }) => kind !== 'blank' || text.trim() !== '');
    const isEmpty = next === undefined || (next.kind === 'heading' && levelOf(next) <= levelOf(block));
    return !isEmpty || original === next;
  });
}

const levelOf = ({ text }: Block): number => /^#+/.exec(text)?.[0].length ?? 0;
