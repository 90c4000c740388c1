// What runs here, who administers it, and what was revoked.

import { call, get, query } from './api.js';
import { action, badge, code, el, facts, page, table, time, title } from './dom.js';

const days = (number) => (number === null || number === undefined ? 'for ever' : `${number} days`);

export async function overview(_, status) {
  const may = (...roles) => status.roles === 'administrator' || roles.some((role) => status.roles.split(',').includes(role));
  const [tokens, revocations] = await Promise.all([
    may('token-author', 'auditor') ? get('admin-tokens') : null, may('secret-author', 'auditor') ? get('revocations') : null]);
  page.replaceChildren(
    ...title('This broker', 'What runs here, who administers it, and which workloads get nothing more.'),
    el('div', { class: 'card' }, facts([
      ['Version', status.version], ['Running since', time(status.started_at)], ['Database', status.database === 'sqlite' ? 'SQLite' : 'PostgreSQL, shared by replicas'],
      ['TLS', el('span', {}, `1.3 only, ${status.tls_library}, `, status.tls_hybrid_ml_kem ? 'hybrid X25519MLKEM768 where the peer has it' : 'without ML-KEM: this OpenSSL has none')],
      ['Certificate', el('span', {}, 'until ', time(status.certificate_until), ', SHA-256 ', code(status.certificate_sha256))],
      ['Two-person rule', status.two_person ? badge('on', 'good') : 'off'], ['Evidence is kept', days(status.evidence_days)], ['Audit entries are kept', days(status.audit_days)],
      ['Simulated platforms', status.allow_simulated ? badge('accepted', 'warn') : 'refused'], ['Debuggable TEEs', status.allow_debug ? badge('accepted', 'warn') : 'refused']])),
    tokens ? el('div', { class: 'card' }, el('h3', {}, 'Administrators'), table('Administrators', ['Name', 'Roles', 'Since', 'Until', 'State', ''], tokens.tokens.map((t) => ({ cells: [
      code(t.name), t.roles, time(t.created_at), time(t.expires), t.revoked_at ? badge('revoked', 'warn') : badge('in force', 'good'),
      t.revoked_at || !may('token-author') ? '' : action('Revoke', t.name, `End the token of ${t.name}, at once?`, () => call('DELETE', 'admin-tokens?' + query({ name: t.name })), () => overview(_, status)),
    ] })), '')) : '',
    revocations ? el('div', { class: 'card' }, el('h3', {}, 'Revocations'), table('Revocations', ['What', 'Which', 'Since', 'By', 'Reason', ''], revocations.revocations.map((r) => ({ cells: [
      r.kind, code(r.value), time(r.revoked_at), code(r.revoked_by), r.reason,
      may('secret-author') ? action('Lift', `the revocation of ${r.value}`, `Let ${r.kind} ${r.value} have secrets again?`, () => call('DELETE', 'revocations?' + query({ kind: r.kind, value: r.value })), () => overview(_, status)) : '',
    ] })), 'Nothing is revoked.')) : '');
}
