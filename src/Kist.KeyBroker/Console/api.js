// Calls of the broker. A token that was typed lives here and nowhere else; who signed in by redirect has a cookie that no script reads.

let token = null;
export const signIn = (text) => { token = text; };

let base = '';
/** The tenant whose objects are shown; '' for the broker's own. */
export const atTenant = (name) => { base = name ? `/tenants/${encodeURIComponent(name)}` : ''; };

// The header tells the broker that this page sends the cookie, and not somebody else's page.
const own = { 'X-Kist-Console': '1' };

async function send(address, method, body, type) {
  const response = await fetch(address, {
    method,
    body,
    headers: { ...(token === null ? own : { Authorization: 'Bearer ' + token }), ...(body === undefined ? {} : { 'Content-Type': type }) },
    cache: 'no-store',
    credentials: token === null ? 'same-origin' : 'omit',
    redirect: 'error',
  });
  const text = await response.text();
  if (!response.ok) {
    let error = null;
    try { error = JSON.parse(text); } catch { /* not the broker's own error */ }
    throw new Error(error ? `${error.detail} (${error.code})` : `The broker answered with status ${response.status}.`);
  }
  return { status: response.status, text };
}

export const call = (method, path, body, type = 'application/json') => send(`${base}/kist/v1/${path}`, method, body, type);

export const get = async (path) => JSON.parse((await call('GET', path)).text);

/** With whom one can sign in by redirect, and whether somebody is. */
export const session = async () => JSON.parse((await send('session', 'GET')).text);
export const endSession = () => send('sign-out', 'POST');

export const query = (parameters) => new URLSearchParams(
  Object.entries(parameters).filter(([, value]) => value !== '' && value !== null && value !== undefined)).toString();
