#!/usr/bin/env bash
# Time from the command line to the exit of a container's /bin/true: the underlying runtime alone, the same through
# kist-rune, and in a simulated enclave; the same for exec in a running container; time of a quote and of a local report of a
# running enclave, from the command line too. Prints medians and ratios. Needs root, runc or crun, busybox-static.
#   bench/enclave-start.sh [RUNS]
set -euo pipefail
runs=${1:-20}
root=$(cd "$(dirname "$0")/.." && pwd)
rune=${KIST_RUNE:-$root/artifacts/bin/kist-rune}
peer=${KIST_RUNE_RUNTIME:-$(command -v runc || command -v crun)}
work=$(mktemp -d)
export KIST_RUNE_STATE="$work/state" KIST_RUNE_RUNTIME="$peer"
trap 'pkill_platform; rm -rf "$work"' EXIT
pkill_platform() { for p in /proc/[0-9]*; do if tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q "platform --directory $work/"; then kill "${p#/proc/}"; fi; done; }

bundle() {
  mkdir -p "$work/$1/rootfs/bin" "$work/$1/rootfs/proc" "$work/$1/rootfs/dev" "$work/$1/rootfs/sys"
  cp /bin/busybox "$work/$1/rootfs/bin/" && ln -s busybox "$work/$1/rootfs/bin/true" && ln -s busybox "$work/$1/rootfs/bin/sleep"
  "$rune" spec --bundle "$work/$1" >/dev/null
  sed -i 's/"terminal": *true/"terminal": false/; s#"sh"#"/bin/true"#' "$work/$1/config.json"
}
bundle enclave
bundle ordinary
sed -i 's/"enclave.type": *"intelSgx"/"enclave.type":""/' "$work/ordinary/config.json"

median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }
measure() {
  local program=$1 dir=$2 start
  for i in $(seq "$runs"); do
    start=$(date +%s%N)
    "$program" --root "$work/runtime" run --bundle "$work/$dir" "b$i-$dir-$$" >/dev/null 2>&1
    echo $((($(date +%s%N) - start) / 1000))
  done | median
}
measure "$rune" enclave >/dev/null # the platform and the development key are there from now on
alone=$(measure "$peer" ordinary) through=$(measure "$rune" ordinary) enclave=$(measure "$rune" enclave)
printf '%-28s %8s us\n' "$(basename "$peer") alone" "$alone" "through kist-rune" "$through" "in a simulated enclave" "$enclave"
awk -v a="$alone" -v t="$through" -v e="$enclave" 'BEGIN { printf "ratios to the runtime alone: through kist-rune %.2f, in an enclave %.2f\n", t / a, e / a }'

running() {
  local program=$1 dir=$2
  sed -i 's#"/bin/true"#"/bin/sleep","1000"#; s#"enclave.type": *"intelSgx"#&,"kist.enclave.exec":"[[\\"/bin/true\\"]]"#' "$work/$dir/config.json"
  "$program" --root "$work/runtime" run --detach --bundle "$work/$dir" "r-$dir-$$" </dev/null >/dev/null 2>"$work/error" || { cat "$work/error" >&2; exit 1; }
}
repeat() {
  local start
  for _ in $(seq "$runs"); do
    start=$(date +%s%N)
    "$@" >/dev/null 2>"$work/error" || { cat "$work/error" >&2; exit 1; }
    echo $((($(date +%s%N) - start) / 1000))
  done | median
}
finish() {
  "$peer" --root "$work/runtime" delete --force "r-ordinary-$$" || true
  "$rune" --root "$work/runtime" delete --force "r-enclave-$$" || true
}
running "$peer" ordinary
running "$rune" enclave
trap 'finish; pkill_platform; rm -rf "$work"' EXIT
for _ in $(seq 100); do "$rune" --root "$work/runtime" attest "r-enclave-$$" >/dev/null 2>&1 && break; sleep 0.1; done
alone=$(repeat "$peer" --root "$work/runtime" exec "r-ordinary-$$" /bin/true)
enclave=$(repeat "$rune" --root "$work/runtime" exec "r-enclave-$$" /bin/true)
report=$(repeat "$rune" --root "$work/runtime" attest "r-enclave-$$")
quote=$(repeat "$rune" --root "$work/runtime" attest --isRA "r-enclave-$$")
printf '%-28s %8s us\n' "exec, $(basename "$peer")" "$alone" "exec, enclave" "$enclave" "local report" "$report" "quote" "$quote"
awk -v a="$alone" -v e="$enclave" -v r="$report" -v q="$quote" 'BEGIN { printf "ratios: exec %.2f, quote to local report %.2f\n", e / a, q / r }'
