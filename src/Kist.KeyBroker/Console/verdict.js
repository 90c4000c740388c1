// A verdict as a tree: the dots in its findings' names make the branches; expected and found stand side by side.

import { badge, code, el, tones } from './dom.js';

const words = { pass: 'passed', fail: 'failed', notChecked: 'not checked' };

export function verdictTree(verdict) {
  const root = { children: new Map(), finding: null };
  for (const finding of verdict.findings) {
    let node = root;
    for (const part of finding.id.split('.')) {
      if (!node.children.has(part)) node.children.set(part, { children: new Map(), finding: null });
      node = node.children.get(part);
    }
    node.finding = finding;
  }
  const count = (outcome) => verdict.findings.filter((f) => f.outcome === outcome).length;
  const tree = branch(root);
  const all = el('button', { class: 'small', type: 'button', onclick: () => {
    const open = all.textContent === 'Open all';
    for (const details of tree.querySelectorAll('details')) details.open = open;
    all.textContent = open ? 'Close all' : 'Open all';
  } }, 'Open all');
  return el('div', {},
    el('p', {}, badge(`${count('pass')} passed`, 'good'), ' ', count('fail') ? [badge(`${count('fail')} failed`, 'bad'), ' '] : null,
      count('notChecked') ? [badge(`${count('notChecked')} not checked`, 'warn'), ' '] : null, all),
    tree);
}

function worst(node) {
  const outcomes = [...(node.finding ? [node.finding.outcome] : []), ...[...node.children.values()].map(worst)];
  return outcomes.includes('fail') ? 'fail' : outcomes.includes('notChecked') ? 'notChecked' : 'pass';
}

function branch(node) {
  return el('ul', { class: 'tree' }, [...node.children].map(([name, child]) => {
    const outcome = worst(child);
    return el('li', {}, el('details', { open: outcome === 'fail' },
      el('summary', {}, badge(words[outcome], tones[outcome]), ' ', code(name)),
      child.finding ? leaf(child.finding) : null,
      child.children.size > 0 ? branch(child) : null));
  }));
}

function leaf(finding) {
  const failed = finding.outcome === 'fail';
  return el('div', { class: 'leaf' },
    el('p', {}, finding.why),
    finding.expected !== undefined || finding.actual !== undefined
      ? el('div', { class: 'sides' },
        side('Expected', finding.expected, finding.actual, failed),
        side('Found', finding.actual, finding.expected, failed))
      : null,
    finding.remedy ? el('p', {}, el('b', {}, 'What to do: '), finding.remedy) : null,
    finding.spec ? el('p', { class: 'note' }, finding.spec) : null);
}

// What differs is marked where both are values of one length: a measurement, and the one that it should be.
function side(label, text, other, failed) {
  const value = el('code', {});
  if (failed && text && other && text.length === other.length && text !== other) {
    for (let at = 0; at < text.length;) {
      const same = text[at] === other[at];
      let end = at;
      while (end < text.length && (text[end] === other[end]) === same) end++;
      value.append(same ? text.slice(at, end) : el('mark', {}, text.slice(at, end)));
      at = end;
    }
  } else {
    value.append(text ?? '–');
  }
  return el('div', { class: failed ? 'different' : false }, el('b', {}, label), value);
}
