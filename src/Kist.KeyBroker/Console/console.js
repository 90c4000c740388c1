// Signing in and out, and which page is shown.

import { get, signIn } from './api.js';
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

const tabs = document.getElementById('tabs');
let status = null;
let timer = null;

const allowed = (roles) => roles === null || status.roles === 'administrator' || roles.some((role) => status.roles.split(',').includes(role));
const visible = () => Object.entries(pages).filter(([, [, , roles]]) => allowed(roles));

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

document.getElementById('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const problem = document.getElementById('sign-in-error');
  problem.textContent = '';
  signIn(document.getElementById('token').value.trim());
  try {
    status = await get('status');
    enter();
    await show(location.hash.slice(1));
  } catch (error) {
    signIn(null);
    problem.textContent = error.message;
  }
});

document.getElementById('sign-out').addEventListener('click', () => location.reload());
window.addEventListener('hashchange', () => { if (status && location.hash !== '#page') show(location.hash.slice(1)); });
