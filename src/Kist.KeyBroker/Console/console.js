// Signing in and out, and which page is shown.

import { atTenant, endSession, get, session, signIn } from './api.js';
import { attestations } from './attestations.js';
import { audit } from './audit.js';
import { el, page, title } from './dom.js';
import { explainQuote } from './explain.js';
import { overview } from './overview.js';
import { policies } from './policies.js';
import { proposals } from './proposals.js';
import { references } from './references.js';
import { secrets } from './secrets.js';

// A page, and the roles any of which may see it; null for every role.
const pages = {
  attestations: ['Attestations', attestations, ['auditor']],
  policies: ['Policies', policies, ['policy-author', 'auditor']],
  references: ['Reference values', references, ['reference-author', 'auditor']],
  secrets: ['Secrets', secrets, ['secret-author', 'auditor']],
  audit: ['Audit', audit, ['auditor']],
  explain: ['Explain evidence', explainQuote, null],
  proposals: ['Proposals', proposals, ['policy-author', 'reference-author', 'auditor']],
  broker: ['This broker', overview, null],
};

// What concerns the whole broker is at no tenant's address.
const ofTheBroker = ['explain'];

const tabs = document.getElementById('tabs');
const tenants = document.getElementById('tenant');
let status = null;
let timer = null;
let byRedirect = false;

const allowed = (roles) => roles === null || status.roles === 'administrator' || roles.some((role) => status.roles.split(',').includes(role));
const visible = () => Object.entries(pages).filter(([name, [, , roles]]) => allowed(roles) && !(tenants.value && ofTheBroker.includes(name)));

async function show(name) {
  clearInterval(timer);
  const [key, [text, render]] = visible().find(([id]) => id === name) ?? visible()[0];
  document.title = `${text} · Kist key broker`;
  for (const link of tabs.children) {
    if (link.hash === '#' + key) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  try {
    await render((interval) => { timer = interval; }, status);
  } catch (error) {
    page.replaceChildren(...title(text, ''), el('div', { class: 'card' }, el('p', { class: 'error', role: 'alert' }, error.message)));
  }
  page.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function enter() {
  tabs.replaceChildren(...visible().map(([name, [text]]) => el('a', { href: '#' + name }, text)));
  document.getElementById('who').textContent = `${status.administrator}, ${status.roles}`;
  const unsafe = [status.allow_simulated ? 'Simulated platforms are accepted: what they are given is not protected.' : '', status.allow_debug ? 'Debuggable TEEs are accepted: what they are given is not protected.' : ''].filter(Boolean);
  const banner = document.getElementById('banner');
  banner.textContent = unsafe.join(' ');
  banner.hidden = unsafe.length === 0;
  document.body.classList.remove('signed-out');
}

const problem = document.getElementById('sign-in-error');

/** Who has signed in, and as what; then the page that was asked for. */
async function begin(tenant) {
  atTenant(tenant);
  status = await get('status');
  await offerTenants(tenant);
  enter();
  await show(location.hash.slice(1));
}

/** The tenants that one can look at: all of them for who administers the whole broker, one's own otherwise. */
async function offerTenants(present) {
  const names = present ? [present] : [''];
  if (!present && allowed(['token-author', 'auditor'])) {
    names.push(...(await get('tenants')).tenants.filter((t) => !t.closed_at).map((t) => t.name));
  }
  tenants.replaceChildren(...names.map((name) => el('option', { value: name, selected: name === present }, name || 'The broker’s own')));
  document.getElementById('tenants').hidden = names.length < 2 && !present;
}

tenants.addEventListener('change', async () => {
  atTenant(tenants.value);
  enter();
  await show(location.hash.slice(1));
});

document.getElementById('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  problem.textContent = '';
  signIn(document.getElementById('token').value.trim());
  try {
    await begin(document.getElementById('of-tenant').value.trim());
  } catch (error) {
    signIn(null);
    status = null;
    problem.textContent = error.message;
  }
});

document.getElementById('sign-out').addEventListener('click', async () => {
  if (byRedirect) await endSession();
  location.reload();
});
window.addEventListener('hashchange', () => { if (status && location.hash !== '#page') show(location.hash.slice(1)); });

const reasons = {
  'began-elsewhere': 'The sign-in was not begun here, or took too long. Try again.',
  refused: 'The identity provider did not sign you in.',
  nobody: 'You are signed in there, but have no role here.',
  'too-long': 'The identity provider’s token is too long for a browser to keep. Sign in with a token instead.',
};

/** Buttons for those with whom one can sign in; who comes back from there is signed in. */
async function offer() {
  const { providers, signed_in: signedIn, tenant } = await session();
  const failed = new URLSearchParams(location.search).get('failed');
  if (failed !== null) {
    problem.textContent = reasons[failed] ?? reasons.refused;
    history.replaceState(null, '', location.pathname + location.hash);
  }
  const list = document.getElementById('providers');
  list.replaceChildren(...providers.map(({ id, label }) => el('a', { class: 'button', href: `sign-in?provider=${id}` }, `Sign in with ${label}`)));
  list.hidden = providers.length === 0;
  if (!signedIn) return;
  byRedirect = true;
  try {
    await begin(tenant);
  } catch (error) {
    byRedirect = false;
    status = null;
    problem.textContent = error.message;
  }
}

offer().catch((error) => { problem.textContent = error.message; });
