// A page that shows how Markdown out of the API is rendered without danger: parsed by `marked`, reduced by DOMPurify to
// what Markdown can say, and inserted as nodes. Whoever writes a client can copy `render`. Nothing is kept: closing the
// tab forgets the token.

export const resourcesPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Resources</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/pages.css">
  </head>
  <body>
    <main class="wide">
      <h1>Resources</h1>
      <p class="lead">Bodies may hold Markdown. The API keeps and answers them as given; this page renders them.</p>
      <output id="message" role="status"></output>

      <section id="signed-out">
        <form id="password-form">
          <label>E-mail address <input name="email" type="email" autocomplete="username" required></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
          <button type="submit">Sign in</button>
        </form>
        <p class="divider">or</p>
        <form id="token-form">
          <label>Access token <input name="token" type="password" autocomplete="off" required></label>
          <button type="submit" class="quiet">Use the token</button>
        </form>
      </section>

      <section id="signed-in" hidden>
        <form id="scope-form">
          <label>Show <select id="scope" name="scope">
            <option value="owned">my resources</option>
            <option value="shared">what is shared with me</option>
            <option value="public">public ones</option>
          </select></label>
        </form>
        <h2>Resources</h2>
        <ul id="resources"></ul>
        <button id="more" type="button" class="quiet" hidden>More</button>
        <article id="resource" hidden>
          <h2 id="title"></h2>
          <div id="body"></div>
        </article>
      </section>
    </main>
    <script src="/docs/purify.js"></script>
    <script type="module" src="/docs/resources.js"></script>
  </body>
</html>
`;

export const resourcesScript = `import { marked } from '/docs/marked.js';
import { call, part, say, session, showSession } from '/docs/pages.js';

/**
 * What Markdown can say, and nothing else: no image (it tells its server who reads), no id or name (they hide variables
 * of the page), no class, style, form or frame.
 */
const allowed = {
  ALLOWED_TAGS: [
    'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'br', 'hr', 'blockquote', 'ul', 'ol', 'li', 'pre', 'code',
    'strong', 'em', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td',
  ],
  ALLOWED_ATTR: ['href', 'title', 'align', 'start'],
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOWED_URI_REGEXP: /^(?:https?:\\/\\/|mailto:)/i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  // Nodes, not a text: what is parsed a second time can mean something else than what was checked.
  RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName !== 'A') return;
  node.setAttribute('rel', 'noopener noreferrer nofollow');
  node.setAttribute('target', '_blank');
});

const render = (markdown) => DOMPurify.sanitize(marked.parse(markdown), allowed);

let nextCursor;

async function list() {
  const page = await read();
  part('resources').replaceChildren();
  part('resource').hidden = true;
  add(page);
}

const more = async () => add(await read(nextCursor));

function read(cursor) {
  const query = new URLSearchParams({ limit: 100, scope: part('scope').value });
  if (cursor !== undefined) query.set('cursor', cursor);
  return call('GET', '/v1/resources?' + query);
}

function add(page) {
  part('resources').append(...page.items.map(rowOf));
  nextCursor = page.nextCursor ?? undefined;
  part('more').hidden = nextCursor === undefined;
  const more = nextCursor === undefined ? '' : ', and there are more';
  say(part('resources').childElementCount + ' resources' + more);
}

function rowOf({ id, title }) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'quiet';
  button.textContent = title;
  button.dataset.id = id;
  button.addEventListener('click', run(() => open(id)));
  const row = document.createElement('li');
  row.append(button);
  return row;
}

async function open(id) {
  const { title, body } = await call('GET', '/v1/resources/' + encodeURIComponent(id));
  part('title').textContent = title;
  part('body').replaceChildren(render(body));
  part('resource').hidden = false;
  say('Shown: ' + title);
}

async function signIn(form) {
  const { email, password } = Object.fromEntries(new FormData(form));
  const { accessToken: token, secondFactors } = await call('POST', '/v1/auth/login', { email, password });
  if (secondFactors.length > 0) throw new Error('A second factor is due: sign in elsewhere, and use the token.');
  session.accessToken = token;
  form.reset();
  await list();
}

async function takeToken(form) {
  session.accessToken = new FormData(form).get('token').trim();
  form.reset();
  await list();
}

const run = (action) => async (event) => {
  event.preventDefault();
  try {
    await action(event.currentTarget);
  } catch (error) {
    say(error.message, true);
  }
  showSession();
};

part('password-form').addEventListener('submit', run(signIn));
part('token-form').addEventListener('submit', run(takeToken));
part('scope').addEventListener('change', run(list));
part('more').addEventListener('click', run(more));
`;
