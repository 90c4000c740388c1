// Proofs of the audit log's Merkle tree (RFC 9162 sections 2.1.3.2 and 2.1.4.2), checked in this page.

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexadecimal = (array) => Array.from(array, (b) => b.toString(16).padStart(2, '0')).join('');
const half = (n) => Math.floor(n / 2);

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer()));
}

const inner = (left, right) => sha256(Uint8Array.of(1), left, right);
export const leafHash = async (text) => hexadecimal(await sha256(Uint8Array.of(0), new TextEncoder().encode(text)));

/** True if the leaf is at this place of the tree; `step` is told of each hash on the way to the root. */
export async function verifyInclusion(leaf, index, head, path, step = () => {}) {
  if (index >= head.size) return false;
  let fn = index;
  let sn = head.size - 1;
  let hash = bytes(leaf);
  for (const sibling of path.map(bytes)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = await inner(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) { fn = half(fn); sn = half(sn); }
    } else {
      hash = await inner(hash, sibling);
    }
    step(hexadecimal(hash));
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && hexadecimal(hash) === head.root;
}

/** True if the second tree begins with the first: nothing of it was changed or removed. */
export async function verifyConsistency(first, second, path) {
  if (first.size === second.size) return path.length === 0 && first.root === second.root;
  if (first.size === 0 || first.size > second.size) return first.size === 0;
  const queue = path.map(bytes);
  if (Number.isInteger(Math.log2(first.size))) queue.unshift(bytes(first.root));
  let fn = first.size - 1;
  let sn = second.size - 1;
  while (fn % 2 === 1) { fn = half(fn); sn = half(sn); }
  let one = queue.shift();
  let two = one;
  for (const hash of queue) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      one = await inner(hash, one);
      two = await inner(hash, two);
      while (fn % 2 === 0 && fn !== 0) { fn = half(fn); sn = half(sn); }
    } else {
      two = await inner(two, hash);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && hexadecimal(one) === first.root && hexadecimal(two) === second.root;
}

const base64Url = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

/** True if this key signed this head. */
export async function verifyHead(head, jwk) {
  const [header, payload, signature] = head.signature.split('.');
  const key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  const signed = JSON.parse(new TextDecoder().decode(base64Url(payload)));
  return signed.size === head.size && signed.root === head.root
    && crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, base64Url(signature), new TextEncoder().encode(`${header}.${payload}`));
}
