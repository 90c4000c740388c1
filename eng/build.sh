#!/usr/bin/env bash
# Publishes the programs as native executables into artifacts/bin, if any source is newer than they are.
#   eng/build.sh [--force]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out="$root/artifacts/bin"
stamp="$out/.built"

if [ "${1:-}" != --force ] && [ -f "$stamp" ] &&
  [ -z "$(find "$root/src" "$root"/Directory.*.props "$root/global.json" -newer "$stamp" \
      -not -path '*/obj/*' -not -path '*/bin/*' -type f -print -quit)" ]; then
  exit 0
fi

mkdir -p "$out"
for program in kist kist-agent kist-rune kist-pal kist-wasm containerd-shim-kist-v2; do
  echo "build: $program" >&2
  log="$root/artifacts/build-$program.log"
  if ! dotnet publish "$root/src/$program/$program.csproj" -c Release -r linux-x64 --nologo -v quiet \
      -o "$root/artifacts/publish/$program" >"$log" 2>&1; then
    cat "$log" >&2
    echo "build: $program failed; the log is $log" >&2
    exit 1
  fi
  if [ "$program" = kist-wasm ]; then
    "$root/eng/wasm-runtime.sh" "$root/artifacts/publish/kist-wasm" "$out/wasm"
    continue
  fi
  find "$root/artifacts/publish/$program" -maxdepth 1 -type f \
    \( -name "$program" -o -name '*.so' \) -exec cp -f --remove-destination {} "$out/" \;
done
touch "$stamp"
