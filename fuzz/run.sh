#!/usr/bin/env bash
# Fuzzes every reader of strangers' bytes for a time: changed samples of the evidence corpus and of the firmware that is installed.
#   fuzz/run.sh [SECONDS A TARGET] [TARGET…]      default: 30 seconds, every target
# Findings go to artifacts/fuzz; exit code 1 if there are any. KIST_FUZZ_SEED repeats a run.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-30}
[ $# -gt 0 ] && shift
seed=${KIST_FUZZ_SEED:-$RANDOM}
evidence=${KIST_EVIDENCE:-$root/../shared/evidence}
[ -d "$evidence" ] || { echo "fuzz: no samples: KIST_EVIDENCE names the evidence corpus" >&2; exit 2; }
samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT

# Samples by target; what has none of its own gets everything.
mkdir -p "$samples"/{firmware,kernel,eventlog,corim,collateral,diff}
cp "$evidence"/launch/snp/*.bin "$evidence"/launch/*.fd "$samples/firmware/"
for image in /usr/share/OVMF/*.fd /usr/share/ovmf/*.fd; do
  # The end of an image holds its tables; whole images are too large to change millions of times.
  [ -f "$image" ] && tail -c 65536 "$image" >"$samples/firmware/$(basename "$image")"
done
for kernel in /boot/vmlinuz-* "$root"/artifacts/guest/vmlinuz* "$evidence"/launch/*.efi; do
  [ -f "$kernel" ] && head -c 65536 "$kernel" >"$samples/kernel/$(basename "$kernel")"
done
cp "$evidence"/tpm/eventlogs/* "$evidence"/tdx/*/ccel.bin "$samples/eventlog/" 2>/dev/null || true
cp "$evidence"/corim/* "$samples/corim/"
cp "$samples"/firmware/* "$samples/diff/"
find "$evidence"/sgx "$evidence"/tdx "$evidence"/snp "$evidence"/nvidia/rim -type f \( -name '*.json' -o -name '*.crl' -o -name '*.pem' -o -name '*.swidtag' \) \
  -exec sh -c 'cp "$1" "$2/$(echo "$1" | tr / _)"' _ {} "$samples/collateral" \;

dotnet build "$root/fuzz/Kist.Fuzz" -c Release -m:1 --nologo -v quiet -clp:NoSummary
program="$root/fuzz/Kist.Fuzz/bin/Release/net10.0/Kist.Fuzz"
"$program" seeds "$samples" "$evidence/tdx/b0c06f-phala/quote.dat"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(evidence inspect collateral bundle policy corim referenceset hostkey eventlog registers firmware kernel pe uki eif diff manifest)
failed=0
for target in "${targets[@]}"; do
  corpus=$samples/$target
  [ -n "$(ls -A "$corpus" 2>/dev/null)" ] || corpus=$evidence
  "$program" mutate "$target" "$corpus" "$seconds" "$seed" "$root/artifacts/fuzz" || failed=1
done
exit $failed
