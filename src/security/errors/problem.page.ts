import { createHash } from 'node:crypto';
import { escapeHtml } from '../../common/http/escape-html.js';
import type { ProblemTypeView } from './problem-pages.dto.js';

const style = `
:root {
  color-scheme: light dark; --line: light-dark(#d7dbe2, #3a4150); --soft: light-dark(#5b6472, #a3adbd);
  --accent: light-dark(#1f57c3, #7aa5ff);
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 3rem 1.5rem; font: 16px/1.6 system-ui, sans-serif; background: light-dark(#f3f5f8, #12151b);
  color: light-dark(#1a1f28, #e7eaf0);
}
main {
  max-width: 46rem; margin: auto; padding: 2rem 2.25rem; border: 1px solid var(--line); border-radius: 14px;
  background: light-dark(#fff, #1a1f28);
}
h1 { margin: 0.25rem 0 0.5rem; font-size: 1.5rem; line-height: 1.3; }
h2 { margin: 1.5rem 0 0.25rem; font-size: 1rem; }
p { margin: 0; }
a { color: var(--accent); }
code { font: 0.875em ui-monospace, monospace; }
ul { margin: 1rem 0 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: 3rem 1fr; padding: 0.5rem 0; border-top: 1px solid var(--line); }
.status, nav { color: var(--soft); }
.status { font-variant-numeric: tabular-nums; }
nav { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.875rem; }
`;

/** Nothing but the one style sheet above, which is known by its hash: no script, no request, no frame, no form. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of one type, which leads to the others. */
export const problemPage = ({ type, title, status, cause, remedy }: ProblemTypeView): string =>
  page(
    title,
    `<p class="status">HTTP status ${status} · <code>${escapeHtml(type)}</code></p>
      <h1>${escapeHtml(title)}</h1>
      <h2>Why</h2>
      <p>${withCode(cause)}</p>
      <h2>What to do</h2>
      <p>${withCode(remedy)}</p>
      <nav><a href="/problems">All problem types</a></nav>`,
  );

/** The page of all types. */
export const listPage = (problems: readonly ProblemTypeView[]): string =>
  page(
    'Problem types',
    `<h1>Problem types</h1>
      <p>Every refusal and every fault is answered in one form (RFC 9457). Its <code>type</code> is one of these.</p>
      <ul>
${problems.map(listItem).join('\n')}
      </ul>`,
  );

const listItem = ({ type, title, status }: ProblemTypeView): string =>
  `        <li><span class="status">${status}</span><a href="${escapeHtml(type)}">${escapeHtml(title)}</a></li>`;

/** What stands between backticks is code, as in the registry. */
const withCode = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

const page = (title: string, content: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="data:,">
    <style>${style}</style>
  </head>
  <body>
    <main>
      ${content}
    </main>
  </body>
</html>
`;
