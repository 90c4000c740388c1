// Calls of the broker. The token lives here and nowhere else.

let token = null;
export const signIn = (text) => { token = text; };

export async function call(method, path, body, type = 'application/json') {
  const response = await fetch('/kist/v1/' + path, {
    method,
    body,
    headers: { Authorization: 'Bearer ' + token, ...(body === undefined ? {} : { 'Content-Type': type }) },
    cache: 'no-store',
    credentials: 'omit',
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

export const get = async (path) => JSON.parse((await call('GET', path)).text);

export const query = (parameters) => new URLSearchParams(
  Object.entries(parameters).filter(([, value]) => value !== '' && value !== null && value !== undefined)).toString();
