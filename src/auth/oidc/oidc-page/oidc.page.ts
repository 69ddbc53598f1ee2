// A page that signs in with a provider, and links identities to the account of whoever is signed in. It gives way to
// the provider's page: what was in memory is gone then, and the address says what to do on the way back.

export const oidcPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sign in with another service</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/pages.css">
  </head>
  <body>
    <main>
      <h1>Sign in with another service</h1>
      <p class="lead">
        The providers of OIDC_&lt;NAME&gt;_ISSUER. A page to try the API out; production does not serve it by default.
      </p>
      <output id="message" role="status"></output>

      <section id="signed-out">
        <div id="providers"></div>
        <p class="divider">or, to link one to your account</p>
        <form id="password-form">
          <label>E-mail address <input name="email" type="email" autocomplete="username" required></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
          <button type="submit" class="quiet">Sign in with the password</button>
        </form>
      </section>

      <section id="signed-in" hidden>
        <p>Signed in as <strong id="account"></strong></p>
        <h2>Your identities elsewhere</h2>
        <ul id="identities"></ul>
        <div id="links"></div>
        <button id="sign-out" type="button" class="quiet">Sign out</button>
      </section>
    </main>
    <script type="module" src="/docs/oidc.js"></script>
  </body>
</html>
`;

export const oidcScript = `import { call, part, say, session, showSession } from '/docs/pages.js';

const base = '/v1/auth/oidc/';

async function show() {
  const { items: providers } = await call('GET', base + 'providers');
  showSession();
  part('providers').replaceChildren(...providers.map((one) => button('Sign in with ' + one.label, () => leave(one))));
  if (providers.length === 0) part('providers').textContent = 'There is none yet: see OIDC_<NAME>_ISSUER.';
  if (session.accessToken === undefined) return;
  part('account').textContent = (await call('GET', '/v1/users/me')).email;
  const { items: identities } = await call('GET', base + 'identities');
  part('identities').replaceChildren(...identities.map(rowOf));
  const open = providers.filter(({ name }) => identities.every(({ provider }) => provider !== name));
  part('links').replaceChildren(...open.map((one) => button('Link ' + one.label, () => link(one))));
}

function button(text, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.addEventListener('click', run(action));
  return made;
}

function rowOf({ id, provider, email }) {
  const row = document.createElement('li');
  const told = document.createElement('small');
  told.textContent = email ?? '';
  const unlink = button('Unlink', () => call('DELETE', base + 'identities/' + id));
  unlink.className = 'quiet';
  row.append(provider, told, unlink);
  return row;
}

function leave({ name }) {
  location.assign(base + name + '/start?returnTo=' + encodeURIComponent('/docs/oidc#back'));
}

async function link({ name }) {
  const { url } = await call('POST', base + name + '/link', { returnTo: '/docs/oidc#linked' });
  location.assign(url);
}

async function begin({ accessToken: token, secondFactors }, text) {
  if (secondFactors.length > 0) throw new Error('A second factor is still due: ' + secondFactors.join(', '));
  session.accessToken = token;
  say(text);
}

async function signInByPassword() {
  const form = part('password-form');
  const { email, password } = Object.fromEntries(new FormData(form));
  await begin(await call('POST', '/v1/auth/login', { email, password }), 'Signed in by password.');
  form.reset();
}

async function signOut() {
  await call('POST', '/v1/auth/logout');
  session.accessToken = undefined;
  say('Signed out.');
}

/** What the address says proves nothing: the proof is where no script can read it. */
async function comeBack() {
  const { hash } = location;
  history.replaceState(null, '', location.pathname);
  if (hash === '#linked') say('The identity is linked: sign in with it.');
  if (hash === '#back') await begin(await call('POST', base + 'sign-in', {}), 'Signed in by the other service.');
}

const run = (action) => async (event) => {
  event?.preventDefault();
  try {
    await action();
  } catch (error) {
    say(error.message, true);
  }
  await show().catch((error) => say(error.message, true));
};

part('sign-out').addEventListener('click', run(signOut));
part('password-form').addEventListener('submit', run(signInByPassword));
void run(comeBack)();
`;
