#!/usr/bin/env bash
# Writes what is public in a library into its PublicAPI.Unshipped.txt, after a change of it was meant.
#   eng/public-api.sh Kist.Attestation
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
project=${1:?usage: eng/public-api.sh PROJECT}
file="$root/src/$project/PublicAPI.Unshipped.txt"
echo '#nullable enable' >"$file"
# The analyzer names each symbol that the file lacks.
dotnet build "$root/src/$project" --no-incremental -m:1 -v quiet --nologo -clp:NoSummary 2>&1 |
  sed -n "s/.*error RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p" | LC_ALL=C sort -u >>"$file" || true
echo "$file: $(($(wc -l <"$file") - 1)) symbols" >&2
