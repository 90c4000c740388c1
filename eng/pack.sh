#!/usr/bin/env bash
# Makes the packages that others build on, and proves them: a project that knows nothing of this tree is restored from them,
# built and run. Needs no network: what the packages depend on is taken from NuGet's own store on this machine.
#   eng/pack.sh [DIR]     where the packages go (default: artifacts/nuget)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-$root/artifacts/nuget}")
store=${NUGET_PACKAGES:-$HOME/.nuget/packages}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -rf "$out" && mkdir -p "$out"
for project in Kist.Formats Kist.Attestation; do
  dotnet pack "$root/src/$project/$project.csproj" -c Release --nologo -v quiet -clp:NoSummary -o "$out"
done
cp -r "$root/examples" "$work/"
cat >"$work/examples/nuget.config" <<XML
<configuration>
  <packageSources><clear /><add key="made" value="$out" /><add key="store" value="$store" /></packageSources>
  <config><add key="globalPackagesFolder" value="$work/packages" /></config>
</configuration>
XML
dotnet build "$work/examples/VerifyEvidence" --nologo -v quiet -clp:NoSummary
consumer="$work/examples/VerifyEvidence/bin/Debug/net10.0/VerifyEvidence"

expect() {
  local want=$1 got=0
  shift
  "$consumer" "$@" >"$work/output" 2>&1 || got=$?
  [ "$got" -eq "$want" ] || { cat "$work/output" >&2; echo "pack: the example ended with $got, not $want" >&2; exit 1; }
}
echo nonsense >"$work/nonsense"
expect 4 "$work/nonsense"
evidence=${KIST_EVIDENCE:-$root/../shared/evidence}
if [ -d "$evidence" ]; then
  expect 0 "$evidence/tdx/b0c06f-phala/quote.dat" 2025-06-25 "$evidence/tdx/b0c06f-phala/collateral.json"
  expect 3 "$evidence/tdx/b0c06f-phala/quote.dat" 2025-06-25
fi
echo "pack: $(ls "$out" | tr '\n' ' ')work in a project of their own" >&2
