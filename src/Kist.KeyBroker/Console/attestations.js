// Attestations as they come, and why each came out as it did.

import { call, get, query } from './api.js';
import { badge, code, el, facts, page, say, short, table, time, title } from './dom.js';
import { verdictTree } from './verdict.js';

const period = 4000;

export async function attestations(live) {
  const list = el('div');
  const news = el('p', { class: 'note', role: 'status', 'aria-live': 'polite' });
  const detail = el('div');
  page.replaceChildren(...title('Attestations', 'Who asked to be trusted, the latest first. The list follows by itself.'), el('div', { class: 'card' }, news, list), detail);
  let newest = null;
  const refresh = async () => {
    const { entries } = await get('audit/search?' + query({ kind: 'attest', limit: 50 }));
    const top = entries[0]?.sequence ?? -1;
    if (top === newest) return;
    const before = newest;
    newest = top;
    const fresh = before === null ? 0 : entries.filter(({ sequence }) => sequence > before).length;
    news.textContent = fresh > 0 ? `${fresh} more since you looked.` : '';
    list.replaceChildren(table('Attestations, latest first', ['Time', 'TEE', 'Outcome', 'Workload', 'Reason', ''],
      entries.map(({ sequence, entry }) => row(JSON.parse(entry), before !== null && sequence > before, detail)), 'Nothing has attested yet.'));
  };
  await refresh();
  live(setInterval(() => refresh().catch((error) => say(error.message)), period));
}

function row(entry, isNew, detail) {
  const part = entry.parts?.cpu0;
  const outcome = part?.status ?? entry.outcome;
  return { class: isNew ? 'new' : false, cells: [
    time(entry.at), entry.tee,
    el('span', {}, badge(outcome), part?.simulated ? [' ', badge('simulated', 'warn')] : null, part?.debug ? [' ', badge('debug', 'warn')] : null),
    short(entry.workload), entry.code ? code(entry.code) : '',
    el('button', { class: 'small', type: 'button', 'aria-label': `Explain the attestation of ${entry.at}`, onclick: () => explain(detail, entry).catch((error) => say(error.message)) }, 'Explain'),
  ] };
}

export async function explain(target, entry) {
  const card = el('section', { class: 'card', tabindex: '-1', 'aria-label': 'Explanation' }, el('h3', {}, 'Attestation of ', time(entry.at)),
    facts([['Entry', String(entry.sequence)], ['Outcome', badge(entry.outcome)], ['TEE', entry.tee], ['Workload', code(entry.workload)], ['Peer', entry.peer],
      ['Code', entry.code ? code(entry.code) : null], ['Said to the operator', entry.detail], ['Correlation id', code(entry.correlation)]]));
  for (const [name, part] of Object.entries(entry.parts ?? {})) {
    card.append(el('h3', {}, `Trust in ${name}: `, badge(part.status)), facts(Object.entries(part.trust).map(([claim, value]) => [claim, String(value)])));
  }
  if (entry.why?.length) card.append(el('h3', {}, 'Why it is not affirming'), el('ul', {}, entry.why.map((line) => el('li', {}, code(line)))));
  for (const [name, digest] of Object.entries(entry.attachments ?? {}).filter(([key]) => key.startsWith('verdict.'))) {
    const heading = el('h3', {}, `Verdict on ${name.slice('verdict.'.length)}`);
    card.append(heading);
    try {
      const verdict = JSON.parse((await call('GET', 'audit/attachment?' + query({ digest }))).text);
      heading.append(': ', badge(verdict.accepted ? 'genuine' : 'refused', verdict.accepted ? 'good' : 'bad'));
      card.append(verdictTree(verdict));
    } catch (error) {
      card.append(el('p', { class: 'note' }, `It is not kept any more: ${error.message}`));
    }
  }
  target.replaceChildren(card);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: 'start' });
}
