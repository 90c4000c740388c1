// Reference values: what measurements are expected, since when, from whom, until when.

import { call, get, query } from './api.js';
import { action, badge, code, el, name, page, table, time, title } from './dom.js';

export async function references() {
  const [{ sets }, { values }] = await Promise.all([get('reference-sets?' + query({ limit: 500 })), get('reference-values?' + query({ limit: 500 }))]);
  page.replaceChildren(
    ...title('Reference values', 'What measurements are expected. A set must be met as a whole; neither sets nor values count outside their validity.'),
    el('div', { class: 'card' }, el('h3', {}, 'Sets'), table('Reference sets', ['Name', 'TEE', 'Version', 'Valid until', 'Source', 'State', ''], sets.map((s) => ({ cells: [
      name(s.set.name), s.set.tee, String(s.version), time(s.set.expires), el('span', {}, s.set.source, ', by ', name(s.registered_by)), state(s),
      el('span', {}, el('button', { class: 'small', type: 'button', 'aria-label': `Claims and history of ${s.set.name}`, onclick: (event) => history(event.target.closest('tr'), s.set.name) }, 'Show'), ' ',
        action('Remove', s.set.name, `Take ${s.set.name} out of force? Guests that meet no other set get no more secrets.`, () => call('DELETE', 'reference-sets?' + query({ name: s.set.name })), references)),
    ] })), 'No set is registered. kist reference register does it.')),
    el('div', { class: 'card' }, el('h3', {}, 'Single values'), table('Single reference values', ['Name', 'Value', 'Version', 'Valid until', 'State', ''], values.map((v) => ({ cells: [
      name(v.name), code(JSON.stringify(v.value)), String(v.version), time(v.expires), state(v),
      action('Remove', v.name, `Take ${v.name} out of force?`, () => call('DELETE', 'reference-values?' + query({ name: v.name })), references),
    ] })), 'No single value is registered.')));
}

const state = (item) => (item.in_force ? badge('in force', 'good') : badge(item.deleted ? 'removed' : 'not in force', 'warn'));

const claims = (all) => el('dl', {}, Object.entries(all).map(([claim, accepted]) => [el('dt', {}, code(claim)), el('dd', {}, accepted.map((value, i) => [i > 0 ? ' or ' : '', code(value)]))]));

// All versions below the row; what each says that the one before did not is what was changed.
async function history(row, set) {
  const next = row.nextElementSibling;
  if (next?.dataset.history) { next.remove(); return; }
  const { sets } = await get('reference-sets?' + query({ name: set }));
  const list = el('ol', {}, sets.map((s, i) => {
    const before = i > 0 ? sets[i - 1].set.claims : {};
    const changed = Object.fromEntries(Object.entries(s.set.claims).filter(([claim, value]) => JSON.stringify(before[claim]) !== JSON.stringify(value)));
    return el('li', { value: String(s.version) }, time(s.registered_at), ' by ', code(s.registered_by), s.deleted ? [' ', badge('removed', 'warn')] : null, claims(changed));
  }));
  row.after(el('tr', { 'data-history': '1' }, el('td', { colspan: '7' }, list)));
}
