/**
 * What the scripts of the pages below `/docs` share: a module, so that no other script of the page reads the token. It
 * is in memory and nowhere else: closing the tab forgets it. What the API answers becomes text, never HTML.
 */
export const pagesScript = `export const session = { accessToken: undefined };
export const part = (id) => document.getElementById(id);

/** An ended or expired session is forgotten: what follows is a new sign-in. */
export async function call(method, path, body) {
  const headers = {};
  if (session.accessToken !== undefined) headers.authorization = 'Bearer ' + session.accessToken;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const answer = response.status === 204 ? undefined : await response.json();
  if (response.status === 401) session.accessToken = undefined;
  if (!response.ok) throw new Error(answer.detail ?? answer.title);
  return answer;
}

export function say(text, isFault) {
  part('message').textContent = text;
  part('message').classList.toggle('fault', isFault === true);
}

/** Which of the two sections of a page is there. */
export function showSession() {
  part('signed-out').hidden = session.accessToken !== undefined;
  part('signed-in').hidden = session.accessToken === undefined;
}
`;
