// A name becomes a table, a route, a permission, files and identifiers: what would break one of them, or could leave
// the project (`../x`), is refused before anything is computed.

/** Every spelling of one name. */
export interface Names {
  /** `invoice-item` */
  readonly kebab: string;
  /** `invoice-items` */
  readonly kebabs: string;
  /** `InvoiceItem` */
  readonly pascal: string;
  /** `InvoiceItems` */
  readonly pascals: string;
  /** `invoiceItem` */
  readonly camel: string;
  /** `invoiceItems` */
  readonly camels: string;
  /** `invoice_items` */
  readonly snakes: string;
  /** `invoice item` */
  readonly phrase: string;
  /** `invoice items` */
  readonly phrases: string;
}

const kebabWords = /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/;
const longest = 40;

/** Words of JavaScript, of TypeScript's types and of Prisma's client that no identifier or model may be. */
const ofTheLanguage =
  'abstract any args arguments as asserts async await bigint boolean break case catch class const constructor ' +
  'continue date debugger declare default delete do else enum error eval export extends false finally for from ' +
  'function get global if implements import in infer instanceof interface is json keyof let map model module ' +
  'namespace never new null number object of package private prisma prisma-client promise protected prototype ' +
  'public readonly record require return select set static string super switch symbol target this throw true ' +
  'try type typeof undefined unique unknown using var void where while with yield';

/** Reserved in PostgreSQL, so that a table of that name would need quotes everywhere. */
const ofSql =
  'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate ' +
  'collation column concurrently constraint create cross default deferrable desc distinct do else end except ' +
  'fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join ' +
  'lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order ' +
  'outer overlaps placing primary references returning right select similar some symmetric table tablesample ' +
  'then to trailing true union unique user using variadic verbose when where window with';

/** What the generated code calls its own things. */
const ofTheTemplates =
  'change changes cursor cursors database event events id id-param item items limit list me page personal-data ' +
  'principal problem version work';

const reserved = new Set([ofTheLanguage, ofSql, ofTheTemplates].join(' ').split(' '));

/** @throws Error that says what a name may be. */
export function namesOf(kebab: string, plural = pluralOf(kebab)): Names {
  for (const name of [kebab, plural]) {
    if (!kebabWords.test(name) || name.length > longest) {
      throw new Error(
        `"${name}" is no name: lower-case words with hyphens between them, at most ${longest} characters, ` +
          'for example invoice-item',
      );
    }
    if (reserved.has(name))
      throw new Error(`"${name}" is a reserved word, or one that the generated code uses itself: choose another name`);
  }
  if (kebab === plural)
    throw new Error(`singular and plural are both "${kebab}": give the plural another form by --plural`);
  return {
    kebab,
    kebabs: plural,
    pascal: pascalOf(kebab),
    pascals: pascalOf(plural),
    camel: camelOf(kebab),
    camels: camelOf(plural),
    snakes: plural.replaceAll('-', '_'),
    phrase: kebab.replaceAll('-', ' '),
    phrases: plural.replaceAll('-', ' '),
  };
}

function pluralOf(kebab: string): string {
  if (/[^aeiou]y$/.test(kebab)) return kebab.replace(/y$/, 'ies');
  return /(?:s|x|z|ch|sh)$/.test(kebab) ? `${kebab}es` : `${kebab}s`;
}

const pascalOf = (kebab: string) => kebab.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
const camelOf = (kebab: string) => kebab.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What stands for a spelling in the templates, which so remain readable as code. */
const placeholders: Readonly<Record<string, keyof Names>> = {
  '__Name__': 'pascal',
  '__Names__': 'pascals',
  '__name__': 'camel',
  '__names__': 'camels',
  '__name-kebab__': 'kebab',
  '__names-kebab__': 'kebabs',
  '__names_snake__': 'snakes',
  '__name words__': 'phrase',
  '__names words__': 'phrases',
};

/**
 * The template with the name in it.
 * @throws Error for a placeholder that does not exist: it would end up in somebody's code.
 */
export function fill(template: string, names: Names): string {
  return template.replaceAll(/__[A-Za-z][A-Za-z _-]*?__/g, (placeholder) => {
    const spelling = placeholders[placeholder];
    if (spelling === undefined) throw new Error(`the templates know no ${placeholder}`);
    return names[spelling];
  });
}
