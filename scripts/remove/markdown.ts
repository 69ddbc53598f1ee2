/** A piece of a document that stands or goes as a whole or by sentences. */
export interface Block {
  readonly kind: 'heading' | 'row' | 'item' | 'paragraph' | 'line' | 'blank';
  readonly text: string;
  readonly start: number;
}

/** The pieces of a document in their order; together they are the document. Each line of an example is one. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  let isFenced = false;
  for (const line of text.split(/(?<=\n)/)) {
    const isFence = /^\s*(?:```|~~~)/.test(line);
    const kind = isFenced || isFence ? 'line' : kindOf(line);
    if (isFence) isFenced = !isFenced;
    const last = blocks.at(-1);
    // Paragraphs and items go on in lines that begin nothing of their own.
    if (kind === 'paragraph' && (last?.kind === 'paragraph' || last?.kind === 'item'))
      blocks[blocks.length - 1] = { ...last, text: last.text + line };
    else blocks.push({ kind, text: line, start });
    start += line.length;
  }
  return blocks;
}

function kindOf(line: string): Block['kind'] {
  if (line.trim() === '') return 'blank';
  if (/^#+ /.test(line)) return 'heading';
  if (/^\s*\|/.test(line)) return 'row';
  return /^\s*(?:[-*]|\d+\.) /.test(line) ? 'item' : 'paragraph';
}
