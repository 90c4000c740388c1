#!/usr/bin/env bash
# Lays out what runs WebAssembly in enclaves: kist-wasm, Wasmtime, and the libraries and loader of this machine that they need.
#   eng/wasm-runtime.sh PUBLISHED DESTINATION
set -euo pipefail
published=$1 destination=$2
rm -rf "$destination"
mkdir -p "$destination"
cp "$published/kist-wasm" "$published/libwasmtime.so" "$destination/"
for file in "$destination"/kist-wasm "$destination"/libwasmtime.so; do
  ldd "$file" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
done | sort -u | while read -r library; do
  cp -L "$library" "$destination/"
done
