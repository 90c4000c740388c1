'use strict';

// Everything that comes from the broker is put into the page as text, never as markup.

let token = null;
let timer = null;

const page = document.getElementById('page');
const message = document.getElementById('message');
const tabs = document.getElementById('tabs');
const signOut = document.getElementById('sign-out');

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

function say(text) {
  message.textContent = text;
  if (text) setTimeout(() => { if (message.textContent === text) message.textContent = ''; }, 8000);
}

async function call(method, path, body, type) {
  const response = await fetch('/kist/v1/' + path, {
    method,
    body,
    headers: { Authorization: 'Bearer ' + token, ...(body === undefined ? {} : { 'Content-Type': type ?? 'application/json' }) },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  });
  const text = await response.text();
  if (!response.ok) {
    let error = null;
    try { error = JSON.parse(text); } catch { /* not the broker's own error */ }
    throw new Error(error ? `${error.detail} (${error.code})` : `status ${response.status}`);
  }
  return { status: response.status, text };
}

async function get(path) {
  return JSON.parse((await call('GET', path)).text);
}

const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '' && value !== null)).toString();
const time = (text) => new Date(text).toISOString().replace('T', ' ').slice(0, 19) + 'Z';
const short = (text) => (text && text.length > 14 ? text.slice(0, 12) + '…' : text ?? '');

const pages = {
  attestations: ['Attestations', attestations],
  audit: ['Audit', audit],
  policies: ['Policies', policies],
  references: ['Reference values', references],
  secrets: ['Secrets', secrets],
  proposals: ['Proposals', proposals],
};

function table(caption, heads, rows, empty) {
  if (rows.length === 0) return el('p', { class: 'note' }, empty);
  return el('table', { 'aria-label': caption },
    el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map((cell) => (cell instanceof Node && cell.nodeName === 'TD' ? cell : el('td', {}, cell)))))));
}

const code = (text) => el('td', { class: 'code' }, text ?? '');
const badge = (text, tone) => el('span', { class: 'badge ' + (tone ?? '') }, text);
const tones = { affirming: 'good', allowed: 'good', pass: 'good', warning: 'warn', contraindicated: 'bad', denied: 'bad', failed: 'bad', fail: 'bad' };

async function show(name) {
  clearInterval(timer);
  const [title, render] = pages[name] ?? pages.attestations;
  document.title = `${title} · Kist key broker`;
  for (const link of tabs.children) {
    if (link.hash === '#' + name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  try {
    await render();
  } catch (error) {
    page.replaceChildren(el('div', { class: 'card' }, el('h2', {}, title), el('p', {}, error.message)));
  }
  page.focus({ preventScroll: true });
}

// Attestations, live.

async function attestations() {
  const list = el('div', { 'aria-live': 'off' });
  const detail = el('div');
  page.replaceChildren(el('div', { class: 'card' }, el('h2', {}, 'Attestations'), list), detail);
  let newest = -1;
  const refresh = async () => {
    const { entries } = await get('audit/search?' + query({ kind: 'attest', limit: 50 }));
    if (entries.length > 0 && entries[0].sequence === newest) return;
    newest = entries[0]?.sequence ?? -1;
    list.replaceChildren(table('Attestations, latest first', ['Time', 'TEE', 'Outcome', 'Workload', 'Code', ''],
      entries.map(({ entry }) => {
        const e = JSON.parse(entry);
        const part = e.parts?.cpu0;
        return [
          time(e.at),
          e.tee,
          el('td', {}, badge(part?.status ?? e.outcome, tones[part?.status ?? e.outcome]), ' ', part?.simulated ? badge('simulated', 'warn') : null, ' ', part?.debug ? badge('debug', 'warn') : null),
          code(short(e.workload)),
          code(e.code),
          el('td', {}, el('button', { class: 'small', type: 'button', onclick: () => verdict(detail, e) }, 'Explain')),
        ];
      }), 'Nothing has attested yet.'));
  };
  await refresh();
  timer = setInterval(() => refresh().catch((error) => say(error.message)), 4000);
}

async function verdict(target, entry) {
  const card = el('section', { class: 'card', tabindex: '-1', 'aria-label': 'Explanation' }, el('h2', {}, `Attestation of ${time(entry.at)}`));
  card.append(facts(entry));
  for (const [name, digest] of Object.entries(entry.attachments ?? {}).filter(([key]) => key.startsWith('verdict.'))) {
    const document = JSON.parse((await call('GET', 'audit/attachment?' + query({ digest }))).text);
    card.append(el('h3', {}, `Verdict of ${name.slice('verdict.'.length)}: `, badge(document.accepted ? 'genuine' : 'refused', document.accepted ? 'good' : 'bad')), tree(document.findings));
  }
  if (entry.why?.length) card.append(el('h3', {}, 'Why it is not affirming'), el('ul', {}, entry.why.map((line) => el('li', {}, el('code', {}, line)))));
  target.replaceChildren(card);
  card.focus();
  card.scrollIntoView({ block: 'start' });
}

function facts(entry) {
  const hidden = new Set(['attachments', 'parts', 'why', 'at', 'sequence']);
  const list = el('dl');
  for (const [name, value] of Object.entries(entry)) {
    if (!hidden.has(name)) list.append(el('dt', {}, name.replaceAll('_', ' ')), el('dd', {}, el('code', {}, typeof value === 'object' ? JSON.stringify(value) : String(value))));
  }
  return list;
}

// The dots in findings' ids make the tree.
function tree(findings) {
  const root = { children: new Map(), finding: null };
  for (const finding of findings) {
    let node = root;
    for (const part of finding.id.split('.')) {
      if (!node.children.has(part)) node.children.set(part, { children: new Map(), finding: null });
      node = node.children.get(part);
    }
    node.finding = finding;
  }
  return branch(root);
}

function worst(node) {
  const outcomes = [...(node.finding ? [node.finding.outcome] : []), ...[...node.children.values()].map(worst)];
  return outcomes.includes('fail') ? 'fail' : outcomes.includes('not_checked') ? 'not_checked' : 'pass';
}

function branch(node) {
  return el('ul', { class: 'tree' }, [...node.children].map(([name, child]) => {
    const outcome = worst(child);
    const words = { pass: 'passed', fail: 'FAILED', not_checked: 'not checked' };
    return el('li', {}, el('details', { open: outcome !== 'pass' },
      el('summary', {}, badge(words[outcome], tones[outcome]), ' ', el('code', {}, name)),
      child.finding ? leaf(child.finding) : null,
      child.children.size > 0 ? branch(child) : null));
  }));
}

function leaf(finding) {
  const differs = finding.outcome === 'fail' ? ' different' : '';
  return el('div', { class: 'leaf' }, finding.why,
    finding.expected !== undefined || finding.actual !== undefined
      ? el('div', { class: 'sides' },
        el('div', { class: differs }, el('b', {}, 'Expected'), el('code', {}, finding.expected ?? '–')),
        el('div', { class: differs }, el('b', {}, 'Found'), el('code', {}, finding.actual ?? '–')))
      : null,
    finding.remedy ? el('p', {}, el('b', {}, 'What to do: '), finding.remedy) : null,
    finding.spec ? el('p', { class: 'note' }, finding.spec) : null);
}

// Audit, with proofs checked in this page.

async function audit() {
  const head = await get('audit/head');
  const results = el('div');
  const field = (name, label) => el('div', {}, el('label', { for: 'f-' + name }, label), el('input', { id: 'f-' + name, name, autocomplete: 'off' }));
  const outcome = el('select', { id: 'f-outcome', name: 'outcome' }, ['', 'allowed', 'denied', 'failed'].map((o) => el('option', { value: o }, o || 'any')));
  const form = el('form', { class: 'row', onsubmit: (event) => { event.preventDefault(); search().catch((error) => say(error.message)); } },
    field('kind', 'What'), el('div', {}, el('label', { for: 'f-outcome' }, 'Outcome'), outcome), field('resource', 'Subject'), field('correlation', 'Correlation id'), el('button', { type: 'submit' }, 'Search'));
  const search = async () => {
    const { entries } = await get('audit/search?' + query({ ...Object.fromEntries(new FormData(form)), limit: 100 }));
    results.replaceChildren(table('Audit entries, latest first', ['Entry', 'Time', 'What', 'Outcome', 'Subject', 'Who', 'Code', ''], entries.map((document) => {
      const e = JSON.parse(document.entry);
      return [String(e.sequence), time(e.at), e.kind, el('td', {}, badge(e.outcome, tones[e.outcome])), code(e.resource ?? e.tee), code(e.actor ?? short(e.workload) ?? e.peer), code(e.code),
        el('td', {}, el('button', { class: 'small', type: 'button', onclick: () => prove(document).catch((error) => say(error.message)) }, 'Prove'))];
    }), 'No entry matches.'));
  };
  page.replaceChildren(
    el('div', { class: 'card' }, el('h2', {}, 'Audit log'),
      el('dl', {}, el('dt', {}, 'Entries'), el('dd', {}, String(head.size)), el('dt', {}, 'Root'), el('dd', {}, el('code', {}, head.root)), el('dt', {}, 'Signed'), el('dd', {}, time(head.at))),
      el('p', { class: 'note' }, 'Keep this head somewhere else (kist audit head): whoever has it finds any entry that is changed later (kist audit verify).')),
    el('div', { class: 'card' }, form, el('h3', {}, 'Entries'), results));
  await search();
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexadecimal = (array) => Array.from(array, (b) => b.toString(16).padStart(2, '0')).join('');
async function sha256(...parts) {
  const all = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

// RFC 9162 section 2.1.3.2.
async function prove(document) {
  const head = await get('audit/head');
  const { path } = await get('audit/inclusion?' + query({ sequence: document.sequence, size: head.size }));
  let fn = document.sequence;
  let sn = head.size - 1;
  let hash = await sha256(Uint8Array.of(0), new TextEncoder().encode(document.entry));
  for (const sibling of path.map(bytes)) {
    if (sn === 0) { fn = -1; break; }
    if (fn % 2 === 1 || fn === sn) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  const holds = fn >= 0 && sn === 0 && hexadecimal(hash) === head.root;
  say(holds ? `Entry ${document.sequence} is in the tree of ${head.size} entries: ${path.length} hashes lead from it to the root.` : `Entry ${document.sequence} is NOT in the tree that the broker signed.`);
}

// Policies.

async function policies() {
  const all = [...(await get('policies/resource')).policies, ...(await get('policies/attestation')).policies];
  const editor = el('div');
  const name = (p) => (p.kind === 'resource' && p.scope === '' ? 'all secrets' : p.scope);
  page.replaceChildren(
    el('div', { class: 'card' }, el('h2', {}, 'Policies in force'), table('Policies', ['Decides about', 'For', 'Version', 'Set', ''], all.map((p) => [
      p.kind === 'resource' ? 'who may have a secret' : 'how trustworthy evidence is', code(name(p)), p.version === 0 ? 'built in' : String(p.version), p.version === 0 ? '' : `${time(p.set_at)} by ${p.set_by}`,
      el('td', {}, el('button', { class: 'small', type: 'button', onclick: () => edit(editor, p.kind, p.scope, p.text) }, 'Open')),
    ]), ''), el('button', { type: 'button', onclick: () => edit(editor, 'resource', 'repository', all[0]?.text ?? '') }, 'New for a repository or secret')),
    editor);
}

function edit(target, kind, scope, text) {
  const area = el('textarea', { id: 'policy', spellcheck: 'false' });
  area.value = text;
  const scopeField = el('input', { id: 'scope', autocomplete: 'off' });
  scopeField.value = scope;
  const problem = el('pre', { role: 'alert' });
  const form = el('form', { class: 'card', onsubmit: async (event) => {
    event.preventDefault();
    problem.textContent = '';
    try {
      const { status } = await call('PUT', `policies/${kind}?` + new URLSearchParams({ scope: scopeField.value }), area.value, 'text/plain');
      await policies();
      say(status === 202 ? 'Proposed: somebody else has to approve it.' : 'The policy is in force.');
    } catch (error) {
      problem.textContent = error.message;
    }
  } },
  el('h2', {}, kind === 'resource' ? 'Resource policy' : 'Attestation policy'),
  el('label', { for: 'scope' }, kind === 'resource' ? 'Scope: empty for all secrets, floor, a repository, or repository/type/tag' : 'Id'), scopeField,
  el('label', { for: 'policy' }, 'Rego'), area, problem, el('button', { type: 'submit' }, 'Put in force'));
  target.replaceChildren(form);
  area.focus();
}

// Reference values.

async function references() {
  const { sets } = await get('reference-sets?limit=500');
  page.replaceChildren(el('div', { class: 'card' }, el('h2', {}, 'Reference sets'), el('p', { class: 'note' }, 'All claims of a set must be met together.'),
    table('Reference sets', ['Name', 'TEE', 'State', 'Expires', 'Registered', 'Claims', ''], sets.map((s) => [
      code(s.set.name), s.set.tee, el('td', {}, badge(s.in_force ? 'in force' : 'not in force', s.in_force ? 'good' : 'warn')), time(s.set.expires), `${time(s.registered_at)} by ${s.registered_by}`,
      el('td', {}, el('details', {}, el('summary', {}, `${Object.keys(s.set.claims).length} claims`), el('dl', {}, Object.entries(s.set.claims).map(([claim, values]) => [el('dt', {}, el('code', {}, claim)), el('dd', {}, el('code', {}, values.join(' or ')))])), el('p', { class: 'note' }, s.set.source))),
      el('td', {}, action('Remove', `Take ${s.set.name} out of force?`, () => call('DELETE', 'reference-sets?' + query({ name: s.set.name })), references)),
    ]), 'No set is registered: nothing is affirming.')));
}

// Secrets: never their values.

async function secrets() {
  const { resources } = await get('resources?' + query({ limit: 1000, deleted: 'true' }));
  page.replaceChildren(el('div', { class: 'card' }, el('h2', {}, 'Secrets'), el('p', { class: 'note' }, 'Values are given to attested workloads only, never to administrators.'),
    table('Secrets', ['Name', 'Version', 'Bytes', 'Changed', 'State', ''], resources.map((r) => [
      code(r.path), String(r.version), String(r.size), time(r.updated_at), el('td', {}, r.deleted_at ? badge('deleted', 'warn') : badge('given out', 'good')),
      el('td', {}, r.deleted_at ? action('Restore', null, () => call('POST', 'resources/restore?' + query({ path: r.path })), secrets) : el('span', {}, '')),
    ]), 'No secret is stored.')));
}

// Proposals.

async function proposals() {
  const list = (await get('proposals?decided=true')).proposals.reverse();
  page.replaceChildren(el('div', { class: 'card' }, el('h2', {}, 'Proposals'), el('p', { class: 'note' }, 'Under the two-person rule a change is in force once somebody else has approved it.'),
    table('Proposals', ['Change', 'Of', 'Proposed', 'What', 'State', ''], list.map((p) => [
      p.kind, code(p.subject || 'all secrets'), `${time(p.proposed_at)} by ${p.proposed_by}`, el('td', {}, el('details', {}, el('summary', {}, 'Show'), el('pre', {}, p.body))),
      el('td', {}, p.decision ? badge(`${p.decision} by ${p.decided_by}`, p.decision === 'approved' ? 'good' : 'bad') : badge('waits', 'warn')),
      el('td', {}, p.decision ? '' : [action('Approve', `Put this change in force?`, () => call('POST', 'proposals/approve?' + query({ id: p.id })), proposals), ' ', action('Reject', null, () => call('POST', 'proposals/reject?' + query({ id: p.id })), proposals)]),
    ]), 'Nothing was proposed.')));
}

function action(label, question, act, then) {
  return el('button', { class: 'small', type: 'button', onclick: async () => {
    if (question && !confirm(question)) return;
    try {
      const { status } = await act();
      await then();
      say(status === 202 ? 'Proposed: somebody else has to approve it.' : 'Done.');
    } catch (error) {
      say(error.message);
    }
  } }, label);
}

// Signing in and out.

for (const [name, [title]] of Object.entries(pages)) tabs.append(el('a', { href: '#' + name }, title));

document.getElementById('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  token = document.getElementById('token').value.trim();
  try {
    await get('audit/head');
    tabs.hidden = signOut.hidden = false;
    await show(location.hash.slice(1) || 'attestations');
  } catch (error) {
    token = null;
    say(error.message);
  }
});

signOut.addEventListener('click', () => location.reload());
window.addEventListener('hashchange', () => { if (token) show(location.hash.slice(1)); });
