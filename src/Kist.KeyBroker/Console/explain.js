// Drop a quote here and see it explained: judged by the broker's verifier, and taken apart field by field.

import { call, query } from './api.js';
import { badge, code, el, name, page, table, title } from './dom.js';
import { verdictTree } from './verdict.js';

const maxBytes = 16 * 1024 * 1024;

export async function explainQuote() {
  const problem = el('p', { class: 'error', role: 'alert' });
  const result = el('div', { role: 'status' });
  const file = el('input', { id: 'quote', type: 'file' });
  const tee = el('input', { id: 'tee', autocomplete: 'off', placeholder: 'found out by itself' });
  const read = async (blob) => {
    problem.textContent = '';
    result.replaceChildren();
    if (!blob) return;
    if (blob.size > maxBytes) { problem.textContent = 'It is larger than 16 MiB.'; return; }
    try {
      const answer = JSON.parse((await call('POST', 'explain?' + query({ tee: tee.value.trim() }), blob, 'application/octet-stream')).text);
      result.replaceChildren(...show(answer, blob.name ?? 'pasted text'));
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  const drop = el('div', { class: 'drop' },
    el('p', {}, el('b', {}, 'Drop evidence here'), ' — a quote, report, token, event log, certificate or CRL, in bytes, hexadecimal, base64, PEM or JSON'),
    el('label', { for: 'quote' }, 'or choose a file'), file);
  drop.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => { event.preventDefault(); drop.classList.remove('over'); read(event.dataTransfer.files[0]); });
  file.addEventListener('change', () => read(file.files[0]));
  const text = el('textarea', { id: 'pasted', rows: '3', spellcheck: 'false' });
  page.replaceChildren(
    ...title('Explain evidence', 'It is judged as a guest’s would be, but bound to no handshake: it proves nothing about who brought it. Nothing is recorded.'),
    el('div', { class: 'card' }, drop,
      el('details', {}, el('summary', {}, 'Paste text instead'), el('label', { for: 'pasted' }, 'Hexadecimal, base64, PEM or JSON'), text,
        el('div', { class: 'buttons' }, el('button', { class: 'quiet', type: 'button', onclick: () => read(text.value.trim() ? new Blob([text.value.trim()]) : null) }, 'Explain'))),
      el('label', { for: 'tee' }, 'TEE, where it cannot be told'), tee, problem),
    result);
}

function show(answer, file) {
  const parts = [];
  if (answer.verdict) {
    const { accepted, simulated, debug } = answer.verdict;
    parts.push(el('section', { class: 'card', 'aria-label': 'Verdict' },
      el('h3', {}, `${file}: ${answer.kind} `, badge(accepted ? 'genuine' : 'refused', accepted ? 'good' : 'bad'), simulated ? [' ', badge('simulated', 'warn')] : null, debug ? [' ', badge('debug', 'warn')] : null),
      el('p', { class: 'note' }, answer.layers.join(' › ')), verdictTree(answer.verdict)));
  }
  const filter = el('input', { id: 'filter', autocomplete: 'off' });
  const fields = el('div');
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    fields.replaceChildren(table('Fields', ['Offset', 'Field', 'Value', 'Meaning'],
      answer.fields.filter((f) => `${f.path} ${f.value} ${f.meaning ?? ''}`.toLowerCase().includes(wanted)).slice(0, 2000).map((f) => ({ cells: [
        f.offset === undefined ? '' : code(f.offset.toString(16)), name(f.path), code(f.value), f.meaning ?? '',
      ] })), 'No field matches.'));
  };
  filter.addEventListener('input', draw);
  draw();
  parts.push(el('section', { class: 'card', 'aria-label': 'Fields' }, el('h3', {}, answer.verdict ? `${answer.fields.length} fields` : `${file}: ${answer.kind}, ${answer.fields.length} fields`), el('label', { for: 'filter' }, 'Show only'), filter, fields));
  return parts;
}
