// A page that shows the whole life of a passkey in a real browser: sign in by password, register, sign out, sign in
// without a user name.
// Its forms are sent by the script; nothing of it is kept: closing the tab forgets the tokens.

export const passkeysPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Passkeys</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/pages.css">
  </head>
  <body>
    <main>
      <h1>Passkeys</h1>
      <p class="lead">
        Sign in without a password and without a user name. A page to try the API out; production does not serve it by
        default.
      </p>
      <output id="message" role="status"></output>

      <section id="signed-out">
        <button id="sign-in" type="button">Sign in with a passkey</button>
        <p class="divider">or</p>
        <form id="password-form">
          <label>E-mail address <input name="email" type="email" autocomplete="username" required></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
          <button type="submit" class="quiet">Sign in with the password</button>
        </form>
      </section>

      <section id="signed-in" hidden>
        <p id="account-line">Signed in as <strong id="account"></strong></p>
        <div id="recovery" hidden>
          <h2>Your recovery codes</h2>
          <p>
            Each gets you in once, after the password, when the device is lost. Keep them now: they are not shown again.
          </p>
          <pre id="recovery-codes"></pre>
        </div>
        <h2>Your passkeys</h2>
        <ul id="passkeys"></ul>
        <form id="register-form">
          <label>Name of the new passkey <input name="name" maxlength="100" value="This device" required></label>
          <button type="submit">Add a passkey</button>
        </form>
        <button id="sign-out" type="button" class="quiet">Sign out</button>
      </section>
    </main>
    <script type="module" src="/docs/passkeys.js"></script>
  </body>
</html>
`;

/** No library: browsers read and write the JSON of WebAuthn by themselves. */
export const passkeysScript = `import { call, part, say, session, showSession } from '/docs/pages.js';

let enrolling = false;

async function show() {
  showSession();
  part('account-line').hidden = enrolling;
  // Nothing of one person stays on the page for the next.
  part('account').textContent = '';
  part('passkeys').replaceChildren();
  if (session.accessToken === undefined || enrolling) return;
  part('account').textContent = (await call('GET', '/v1/users/me')).email;
  const { items } = await call('GET', '/v1/auth/passkeys');
  part('passkeys').replaceChildren(...items.map(rowOf));
}

function rowOf({ name, lastUsedAt }) {
  const row = document.createElement('li');
  const used = document.createElement('small');
  used.textContent = lastUsedAt === null ? 'not used yet' : 'used ' + new Date(lastUsedAt).toLocaleString();
  row.append(name, used);
  return row;
}

async function begin({ accessToken: token, secondFactors }, text) {
  session.accessToken = token;
  enrolling = secondFactors.includes('enrolment');
  if (enrolling) return say('A second factor is required. Add a passkey to finish signing in.');
  if (secondFactors.length === 0) return say(text);
  if (!secondFactors.includes('passkey'))
    throw new Error('The second factor is still due: ' + secondFactors.join(', '));
  return signInByPasskey();
}

async function signInByPasskey() {
  const options = await call('POST', '/v1/auth/passkeys/sign-in-options');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = (await navigator.credentials.get({ publicKey })).toJSON();
  await begin(await call('POST', '/v1/auth/passkeys/sign-in', { credential }), 'Signed in by passkey.');
}

async function signInByPassword(form) {
  const { email, password } = Object.fromEntries(new FormData(form));
  await begin(await call('POST', '/v1/auth/login', { email, password }), 'Signed in by password.');
  form.reset();
}

async function register(form) {
  const options = await call('POST', '/v1/auth/passkeys/registration-options');
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = (await navigator.credentials.create({ publicKey })).toJSON();
  const name = new FormData(form).get('name');
  const registered = await call('POST', '/v1/auth/passkeys', { name, credential });
  showRecoveryCodes(registered.recoveryCodes);
  if (registered.tokens !== null) await begin(registered.tokens);
  say('The passkey is registered.');
}

function showRecoveryCodes(codes) {
  part('recovery').hidden = codes === null;
  part('recovery-codes').textContent = (codes ?? []).join('\\n');
}

async function signOut() {
  await call('POST', '/v1/auth/logout');
  session.accessToken = undefined;
  showRecoveryCodes(null);
  say('Signed out.');
}

const run = (action) => async (event) => {
  event.preventDefault();
  try {
    await action(event.currentTarget);
    await show();
  } catch (error) {
    say(error.message, true);
    if (session.accessToken === undefined) await show();
  }
};

part('sign-in').addEventListener('click', run(signInByPasskey));
part('sign-out').addEventListener('click', run(signOut));
part('password-form').addEventListener('submit', run(signInByPassword));
part('register-form').addEventListener('submit', run(register));
`;
