// The audit log: searched, shown, and proved in this page rather than believed.

import { get, query } from './api.js';
import { explain } from './attestations.js';
import { badge, choice, code, el, facts, field, page, say, short, table, time, title } from './dom.js';
import { leafHash, verifyConsistency, verifyHead, verifyInclusion } from './merkle.js';

const pageSize = 50;

export async function audit() {
  const [head, key] = await Promise.all([get('audit/head'), get('audit/key')]);
  const signed = await verifyHead(head, key);
  const results = el('div');
  const detail = el('div');
  const form = el('form', { class: 'row', role: 'search', onsubmit: (event) => { event.preventDefault(); search().catch((error) => say(error.message)); } },
    field('kind', 'What', { placeholder: 'attest, resource.read…' }), choice('outcome', 'Outcome', [['', 'any'], ['allowed', 'allowed'], ['denied', 'denied'], ['failed', 'failed']]),
    field('resource', 'Subject'), field('workload', 'Workload'), field('tenant', 'Tenant'), field('correlation', 'Correlation id'),
    field('from', 'From (UTC)', { type: 'datetime-local' }), field('until', 'Until (UTC)', { type: 'datetime-local' }), el('button', { type: 'submit' }, 'Search'));
  const search = async (before) => {
    const asked = Object.fromEntries(new FormData(form));
    for (const name of ['from', 'until']) if (asked[name]) asked[name] += 'Z';
    const { entries } = await get('audit/search?' + query({ ...asked, before, limit: pageSize }));
    results.replaceChildren(table('Audit entries, latest first', ['Entry', 'Time', 'What', 'Outcome', 'Subject', 'Who', ''], entries.map((document) => row(document, detail)), 'No entry matches.'),
      entries.length === pageSize ? el('div', { class: 'buttons' }, el('button', { class: 'quiet', type: 'button', onclick: () => search(entries.at(-1).sequence).catch((error) => say(error.message)) }, 'Older entries')) : '');
  };
  page.replaceChildren(
    ...title('Audit log', 'Every decision, in a tree of hashes. Whoever keeps its head elsewhere finds any entry that is changed later.'),
    el('div', { class: 'card' },
      facts([['Entries', String(head.size)], ['Root', code(head.root)], ['Signed', el('span', {}, time(head.at), ' ', badge(signed ? 'signature holds' : 'signature does not hold', signed ? 'good' : 'bad'))]]),
      el('details', {}, el('summary', {}, 'Check against a head that I kept'), earlier(head))),
    el('div', { class: 'card' }, form), el('div', { class: 'card' }, results), detail);
  await search();
}

function row(document, detail) {
  const entry = JSON.parse(document.entry);
  const show = (what) => what().catch((error) => say(error.message));
  return { cells: [
    String(entry.sequence), time(entry.at), entry.kind, badge(entry.outcome), entry.resource || entry.tee ? code(entry.resource ?? entry.tee) : '',
    entry.actor ? code(entry.actor) : entry.workload ? short(entry.workload) : entry.peer ?? '',
    el('span', {}, el('button', { class: 'small', type: 'button', 'aria-label': `Show entry ${entry.sequence}`, onclick: () => show(() => (entry.kind === 'attest' ? explain(detail, entry) : text(detail, entry))) }, 'Show'), ' ',
      el('button', { class: 'small', type: 'button', 'aria-label': `Prove entry ${entry.sequence}`, onclick: () => show(() => prove(detail, document)) }, 'Prove')),
  ] };
}

async function text(target, entry) {
  place(target, el('section', { class: 'card', tabindex: '-1', 'aria-label': `Entry ${entry.sequence}` }, el('h3', {}, `Entry ${entry.sequence}`), el('pre', {}, JSON.stringify(entry, null, 2))));
}

async function prove(target, document) {
  const head = await get('audit/head');
  const { path } = await get('audit/inclusion?' + query({ sequence: document.sequence, size: head.size }));
  const leaf = await leafHash(document.entry);
  const steps = [];
  const holds = await verifyInclusion(leaf, document.sequence, head, path, (hash) => steps.push(hash));
  place(target, el('section', { class: 'card', tabindex: '-1', 'aria-label': `Proof of entry ${document.sequence}` },
    el('h3', {}, `Proof of entry ${document.sequence} `, badge(holds ? 'in the tree' : 'NOT in the tree', holds ? 'good' : 'bad')),
    el('p', { class: 'note' }, `${path.length} hashes lead from the entry to the root over ${head.size} entries. They were computed here.`),
    el('ol', { class: 'steps' }, el('li', {}, leaf, ' the entry'), steps.map((hash, i) => el('li', {}, hash, i === steps.length - 1 ? ' the root' : '')))));
}

function place(target, card) {
  target.replaceChildren(card);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: 'start' });
}

// What kist audit head printed some time ago.
function earlier(head) {
  const area = el('textarea', { id: 'earlier', rows: '4', spellcheck: 'false', placeholder: '{"size":…,"root":"…"}' });
  const answer = el('p', { role: 'status' });
  return el('form', { onsubmit: async (event) => {
    event.preventDefault();
    try {
      const kept = JSON.parse(area.value);
      const { path } = await get('audit/consistency?' + query({ first: kept.size, second: head.size }));
      const holds = await verifyConsistency(kept, head, path);
      answer.replaceChildren(badge(holds ? 'the log begins with it: nothing was changed or removed' : 'the log does NOT begin with it', holds ? 'good' : 'bad'));
    } catch (error) {
      answer.textContent = error.message;
    }
  } }, el('label', { for: 'earlier' }, 'The head, as kist audit head printed it'), area, el('button', { type: 'submit' }, 'Check'), answer);
}
