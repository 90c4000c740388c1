// What pages are made of. Everything that comes from the broker is put into the page as text, never as markup.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

export const page = document.getElementById('page');

const message = document.getElementById('message');
export function say(text) {
  message.textContent = text;
  if (text) setTimeout(() => { if (message.textContent === text) message.textContent = ''; }, 8000);
}

/** Asks before something is done; true if it is to be. */
export function ask(text, yes = 'Go on') {
  const dialog = document.getElementById('ask');
  document.getElementById('ask-text').textContent = text;
  document.getElementById('ask-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

export const code = (text) => el('code', {}, text ?? '');
/** A short name, which is not broken over lines. */
export const name = (text) => el('code', { class: 'name' }, text ?? '');
export const tones = {
  affirming: 'good', allowed: 'good', pass: 'good', warning: 'warn', notChecked: 'warn', contraindicated: 'bad', denied: 'bad', failed: 'bad', fail: 'bad', none: 'bad',
};
export const badge = (text, tone = tones[text]) => el('span', { class: 'badge ' + (tone ?? '') }, text);

const pad = (text) => new Date(text).toISOString().replace('T', ' ').slice(0, 19) + 'Z';
export const time = (text) => (text ? el('time', { datetime: text }, pad(text)) : '');
export const short = (text) => (text && text.length > 16 ? el('code', { title: text }, text.slice(0, 12) + '…') : code(text));

/** A table whose rows are lists of cells; on a narrow screen each row becomes a list of its own. */
export function table(caption, heads, rows, empty) {
  if (rows.length === 0) return el('p', { class: 'note' }, empty);
  return el('div', { class: 'scroll' }, el('table', {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, rows.map(({ cells, ...attributes }) => el('tr', attributes, cells.map((cell, i) =>
      el('td', { 'data-label': heads[i], class: cell === '' || cell === null || cell === undefined ? 'blank' : false }, cell)))))));
}

/** Name, what it is, and a list of facts with what has no value left out. */
export const facts = (entries) => el('dl', {}, entries.filter(([, value]) => value !== null && value !== undefined && value !== '')
  .map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));

export function title(text, lead) {
  return [el('h2', {}, text), el('p', { class: 'lead' }, lead)];
}

/** A button that does something with the broker, says how it went, and shows the page again. */
export function action(label, about, question, act, then) {
  return el('button', { class: 'small', type: 'button', 'aria-label': `${label} ${about}`, onclick: async () => {
    if (question && !(await ask(question, label))) return;
    try {
      const { status } = await act();
      await then();
      say(status === 202 ? 'Proposed: somebody else has to approve it.' : 'Done.');
    } catch (error) {
      say(error.message);
    }
  } }, label);
}

export function field(name, label, attributes = {}) {
  return el('div', {}, el('label', { for: 'f-' + name }, label), el('input', { id: 'f-' + name, name, autocomplete: 'off', spellcheck: 'false', ...attributes }));
}

export function choice(name, label, options) {
  return el('div', {}, el('label', { for: 'f-' + name }, label), el('select', { id: 'f-' + name, name }, options.map(([value, text]) => el('option', { value }, text))));
}
