// Secrets: their names, versions and terms. Never their values: nobody reads those through the administration.

import { call, get, query } from './api.js';
import { action, badge, code, el, page, say, table, time, title } from './dom.js';

export async function secrets() {
  const { resources } = await get('resources?' + query({ limit: 1000, deleted: 'true' }));
  const detail = el('div');
  page.replaceChildren(
    ...title('Secrets', 'Values are given to attested workloads only, never to administrators.'),
    el('div', { class: 'card' }, table('Secrets', ['Name', 'Version', 'Bytes', 'Changed', 'State', ''], resources.map((r) => ({ cells: [
      code(r.path), String(r.version), String(r.size), time(r.updated_at), r.deleted_at ? badge('deleted', 'warn') : badge('given out', 'good'),
      el('span', {}, el('button', { class: 'small', type: 'button', 'aria-label': `Versions and terms of ${r.path}`, onclick: () => show(detail, r).catch((error) => say(error.message)) }, 'Show'), ' ',
        r.deleted_at
          ? action('Restore', r.path, null, () => call('POST', 'resources/restore?' + query({ path: r.path })), secrets)
          : null),
    ] })), 'No secret is stored. kist secret put does it.')), detail);
}

async function show(target, resource) {
  const { versions } = await get('resources/versions?' + query({ path: resource.path }));
  const terms = await get('resource-terms?' + query({ path: resource.path })).catch(() => null);
  const card = el('section', { class: 'card', tabindex: '-1', 'aria-label': resource.path }, el('h3', {}, code(resource.path)),
    el('p', { class: 'note' }, terms === null ? 'It is given out on no other terms than the policies’.' : [
      terms.max_reads === null || terms.max_reads === undefined ? '' : `Given out ${terms.reads ?? 0} of ${terms.max_reads} times. `,
      terms.until ? ['Until ', time(terms.until), '. '] : '', terms.derived_by ? ['Each workload gets its own, by ', code(terms.derived_by), '.'] : ''].flat()),
    table('Versions', ['Version', 'Bytes', 'Stored', 'By', 'Master key', ''], versions.map((v) => ({ cells: [
      String(v.version), String(v.size), time(v.created_at), code(v.created_by), code(v.master_key),
      v.version === resource.version
        ? badge('given out', 'good')
        : action('Select', `version ${v.version} of ${resource.path}`, `Give out version ${v.version} of ${resource.path} from now on?`, () => call('POST', 'resources/select?' + query({ path: resource.path, version: v.version })), secrets),
    ] })), ''));
  target.replaceChildren(card);
  card.focus();
}
