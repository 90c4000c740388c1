// Proposals: under the two-person rule a change is in force once somebody else has approved it.

import { call, get, query } from './api.js';
import { action, badge, code, el, page, table, time, title } from './dom.js';

export async function proposals() {
  const list = (await get('proposals?decided=true')).proposals.reverse();
  page.replaceChildren(
    ...title('Proposals', 'Under the two-person rule a change is in force once somebody else than its author has approved it.'),
    el('div', { class: 'card' }, table('Proposals', ['Change', 'Of', 'Proposed', 'What', 'State', ''], list.map((p) => ({ cells: [
      p.kind, code(p.subject || 'all secrets'), el('span', {}, time(p.proposed_at), ' by ', code(p.proposed_by)), el('details', {}, el('summary', {}, 'Show'), el('pre', {}, p.body)),
      p.decision ? el('span', {}, badge(p.decision, p.decision === 'approved' ? 'good' : 'bad'), ' by ', code(p.decided_by)) : badge('waits', 'warn'),
      p.decision ? '' : el('span', {}, action('Approve', `${p.kind} of ${p.subject}`, 'Put this change in force?', () => call('POST', 'proposals/approve?' + query({ id: p.id })), proposals), ' ',
        action('Reject', `${p.kind} of ${p.subject}`, null, () => call('POST', 'proposals/reject?' + query({ id: p.id })), proposals)),
    ] })), 'Nothing was proposed.')));
}
