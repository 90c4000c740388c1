// Policies: read, tried on recorded evidence, and only then put in force.

import { call, get, query } from './api.js';
import { action, badge, choice, code, el, name, page, say, short, table, time, title } from './dom.js';

const nameOf = (policy) => (policy.kind === 'resource' && policy.scope === '' ? 'all secrets' : policy.scope);

export async function policies() {
  const all = [...(await get('policies/resource')).policies, ...(await get('policies/attestation')).policies];
  const editor = el('div');
  page.replaceChildren(
    ...title('Policies', 'Attestation policies say how trustworthy evidence is; resource policies say who may have a secret. The narrowest scope is in force.'),
    el('div', { class: 'card' }, table('Policies in force', ['Decides', 'For', 'Version', 'Set', ''], all.map((p) => ({ cells: [
      p.kind === 'resource' ? 'who may have a secret' : 'how trustworthy evidence is', code(nameOf(p)), p.version === 0 ? 'built in' : String(p.version),
      p.version === 0 ? '' : el('span', {}, time(p.set_at), ' by ', name(p.set_by)),
      el('span', {}, el('button', { class: 'small', type: 'button', 'aria-label': `Open ${p.kind} policy for ${nameOf(p)}`, onclick: () => edit(editor, p.kind, p.scope, p.text) }, 'Open'),
        p.version === 0 ? null : [' ', action('Remove', `${p.kind} policy for ${nameOf(p)}`, `Take the ${p.kind} policy for ${nameOf(p)} out of force? The wider one or the built-in takes its place.`,
          () => call('DELETE', `policies/${p.kind}?` + new URLSearchParams({ scope: p.scope })), policies)]),
    ] })), ''),
    el('div', { class: 'buttons' }, el('button', { class: 'quiet', type: 'button', onclick: () => edit(editor, 'resource', 'repository', all[0]?.text ?? '') }, 'New for a repository or secret'))),
    editor);
}

function edit(target, kind, scope, text) {
  const { box, area } = codeArea(text);
  const scopeField = el('input', { id: 'scope', autocomplete: 'off', spellcheck: 'false' });
  scopeField.value = scope;
  const problem = el('p', { class: 'error', role: 'alert' });
  const result = el('div', { role: 'status' });
  const count = choice('decisions', 'Over the latest', [['50', '50 decisions'], ['200', '200 decisions']]);
  const guard = async (act) => {
    problem.textContent = '';
    try { await act(); } catch (error) { problem.textContent = error.message; }
  };
  const attempt = el('button', { class: 'quiet', type: 'button', onclick: () => guard(async () => {
    attempt.disabled = true;
    result.replaceChildren(el('p', { class: 'note' }, 'Deciding again over recorded evidence…'));
    try {
      result.replaceChildren(...whatIf(JSON.parse((await call('POST', `policies/${kind}/what-if?` + query({ scope: scopeField.value, limit: count.querySelector('select').value }), area.value, 'text/plain')).text)));
    } catch (error) {
      result.replaceChildren();
      throw error;
    } finally {
      attempt.disabled = false;
    }
  }) }, 'What would change?');
  const form = el('form', { class: 'card', 'aria-label': 'Policy editor', onsubmit: (event) => {
    event.preventDefault();
    guard(async () => {
      const { status } = await call('PUT', `policies/${kind}?` + new URLSearchParams({ scope: scopeField.value }), area.value, 'text/plain');
      await policies();
      say(status === 202 ? 'Proposed: somebody else has to approve it.' : 'The policy is in force.');
    });
  } },
  el('h3', {}, kind === 'resource' ? 'Resource policy' : 'Attestation policy'),
  el('label', { for: 'scope' }, kind === 'resource' ? 'Scope: empty for all secrets, floor, a repository, or repository/type/tag' : 'Id'), scopeField,
  el('label', { for: 'policy' }, 'Rego'), box, problem,
  el('div', { class: 'row buttons' }, count, attempt, el('button', { type: 'submit' }, 'Put in force')), result);
  target.replaceChildren(form);
  form.scrollIntoView({ block: 'start' });
  area.focus({ preventScroll: true });
}

function codeArea(text) {
  const lines = el('pre', { 'aria-hidden': 'true' });
  const area = el('textarea', { id: 'policy', spellcheck: 'false', autocapitalize: 'off', wrap: 'off' });
  const number = () => { lines.textContent = area.value.split('\n').map((_, i) => i + 1).join('\n'); };
  area.value = text;
  area.addEventListener('input', number);
  area.addEventListener('scroll', () => { lines.scrollTop = area.scrollTop; });
  number();
  return { box: el('div', { class: 'editor' }, lines, area), area };
}

function whatIf({ changed, results }) {
  const sorted = [...results.filter((r) => r.before !== r.after), ...results.filter((r) => r.before === r.after)];
  return [
    el('h3', {}, results.length === 0 ? 'No recorded decision was made by this policy.' : changed === 0 ? `None of ${results.length} decisions would change.` : `${changed} of ${results.length} decisions would change.`),
    table('Decisions made again', ['Entry', 'Time', 'About', 'Workload', 'Now and then', 'Why refused'], sorted.map((r) => ({ class: r.before !== r.after ? 'changed' : false, cells: [
      String(r.sequence), time(r.at), code(r.subject), short(r.workload), el('span', {}, badge(r.before), el('span', { class: 'arrow' }, '→'), badge(r.after)),
      r.why.length === 0 ? '' : el('details', {}, el('summary', {}, 'Why'), el('pre', {}, r.why.join('\n'))),
    ] })), ''),
  ];
}
