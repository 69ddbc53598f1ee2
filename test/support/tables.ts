/** Rows by their key, each with its cells by column. */
export type Table = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** A table whose first two columns name the row: as in a Markdown page, or aligned by two spaces or more. */
export function readTable(text: string): Table {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const inMarkdown = lines.filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  const rows =
    inMarkdown.length > 0
      ? inMarkdown.map((line) => line.slice(2, -2).split(' | '))
      : lines.map((line) => line.split(/ {2,}/));
  const [columns = [], ...cells] = rows;
  return new Map(
    cells.map((row) => [
      `${row[0]} ${row[1]}`,
      Object.fromEntries(columns.map((column, at) => [column, row[at] ?? ''])),
    ]),
  );
}

/** What is not the same, one line per cell. */
export function differences(committed: Table, got: Table): string[] {
  return [...new Set([...committed.keys(), ...got.keys()])].flatMap((key) => {
    const [before, now] = [committed.get(key), got.get(key)];
    if (before === undefined || now === undefined)
      return [`${key}: ${before === undefined ? 'not in the committed file' : 'in the committed file alone'}`];
    const columns = [...new Set([...Object.keys(before), ...Object.keys(now)])];
    return columns
      .filter((column) => before[column] !== now[column])
      .map((column) => `${key}, ${column}: ${now[column]}, and the committed file says ${before[column]}`);
  });
}
