#!/bin/sh
# Verifies one quote again and again with Phala's dcap-qvl: its JavaScript ("js") or its WebAssembly build ("web").
# Usage: dcap-qvl.sh CORPUS sgx|tdx js|web; prints verifications a second of processor time.
# The packages come from npm into a cache directory; nothing of them is kept in this repository.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kist-bench/dcap-qvl
mkdir -p "$cache"
[ -d "$cache/node_modules/@phala/dcap-qvl-web" ] ||
    npm install --prefix "$cache" --silent --no-audit --no-fund @phala/dcap-qvl@0.3.9 @phala/dcap-qvl-web@0.3.3 >&2
cp "$here/dcap-qvl.mjs" "$cache/dcap-qvl.mjs"
exec node "$cache/dcap-qvl.mjs" "$1" "$2" "$3"
