#!/usr/bin/env bash
# Sealed images against encrypted ones (ocicrypt), in real guests, in turns in one run: the start against the image's size, and
# ten pods of one image. Times hold only beside each other; run it on an idle machine.
#   bench/sealed-images.sh [start|pods|prepare]
# "prepare" makes services and images in $KIST_BENCH and leaves them there, so that "start" and "pods" with the same $KIST_BENCH measure
# and do nothing else; without it they make their own and take them away again.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
kist="$root/artifacts/bin/kist"
what=${1:-all}
export KIST_HOME
kept=${KIST_BENCH:-}
KIST_HOME=${kept:-$(mktemp -d /tmp/kist-bench-XXXXXX)}
work=$(mktemp -d /tmp/kist-bench-work-XXXXXX)
finish() {
  "$kist" ps --json 2>/dev/null | grep -o '"name": *"pod[^"]*"' | cut -d'"' -f4 | xargs -r "$kist" rm -f >/dev/null 2>&1 || true
  rm -rf "$work"
  [ -z "$kept" ] || return 0
  "$kist" down >/dev/null 2>&1 || true
  rm -rf "$KIST_HOME"
}
trap finish EXIT

mkdir -p -m 700 "$KIST_HOME"
"$kist" up >/dev/null 2>&1
registry=$(grep -o '"registry": *"[^"]*"' "$KIST_HOME/services/endpoints.json" | cut -d'"' -f4)

# An image of busybox and so many MB of noise, which nothing can compress.
make_image() {
  local megabytes=$1 tree="$work/tree$1"
  [ ! -e "$KIST_HOME/made$1" ] || return 0
  mkdir -p "$tree/bin" "$tree/data"
  cp /bin/busybox "$tree/bin/"
  for applet in sh echo cat sleep head; do ln -sf busybox "$tree/bin/$applet"; done
  head -c $((megabytes * 1000000)) /dev/urandom >"$tree/data/noise"
  "$kist" image build "oci:$work/layout:$megabytes" "$tree" --compression none --cmd /bin/echo --cmd started >/dev/null
  rm -rf "$tree"
  if [ "$megabytes" -le 100 ]; then
    "$kist" image encrypt "oci:$work/layout:$megabytes" "$registry/bench:encrypted$megabytes" >/dev/null 2>&1
  fi
  "$kist" image seal "oci:$work/layout:$megabytes" "$registry/bench:sealed$megabytes" --all-root >/dev/null 2>&1
  rm -rf "$work/layout"
  touch "$KIST_HOME/made$1"
}

seconds() { # of a run to its output
  local begin end
  begin=$(date +%s.%N)
  [ "$("$kist" run --rm "$@" 2>"$work/error")" = started ] || { cat "$work/error" >&2; return 1; }
  end=$(date +%s.%N)
  awk -v b="$begin" -v e="$end" 'BEGIN { printf "%.2f\n", e - b }'
}

slope() { # of lines "MB seconds": seconds a MB, least squares
  awk '{ n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2 } END { printf "%.6f\n", (n * xy - x * y) / (n * xx - x * x) }' "$1"
}

start() {
  for megabytes in ${SIZES:-10 100 1000}; do
    make_image $megabytes
  done
  "$kist" run --rm "$registry/bench:sealed${SIZES%% *}" >/dev/null 2>&1 || true
  for round in $(seq "${ROUNDS:-2}"); do
    for megabytes in ${SIZES:-10 100 1000}; do
      "$kist" image cache gc >/dev/null
      echo "$megabytes $(seconds --fetch lazy "$registry/bench:sealed$megabytes")" | tee -a "$work/lazy" | sed 's/^/sealed, fetched lazily,  MB and s: /'
      "$kist" image cache gc >/dev/null
      echo "$megabytes $(seconds --fetch prefetch "$registry/bench:sealed$megabytes")" | tee -a "$work/cold" | sed 's/^/sealed, prefetched,      MB and s: /'
      echo "$megabytes $(seconds --fetch lazy "$registry/bench:sealed$megabytes")" | tee -a "$work/warm" | sed 's/^/sealed, in the cache,    MB and s: /'
      # A GB would take minutes under emulation, and more memory than many machines have.
      if [ $megabytes -le 100 ]; then
        echo "$megabytes $(seconds --start-timeout 900 "$registry/bench:encrypted$megabytes")" | tee -a "$work/encrypted" | sed 's/^/encrypted,               MB and s: /'
      fi
    done
  done
  local lazy cold warm encrypted
  lazy=$(slope "$work/lazy"); cold=$(slope "$work/cold"); warm=$(slope "$work/warm"); encrypted=$(slope "$work/encrypted")
  awk -v l="$lazy" -v c="$cold" -v w="$warm" -v e="$encrypted" 'BEGIN {
    printf "start, slope in ms a MB: sealed %.2f (lazily), %.2f (prefetched), %.2f (in the cache), encrypted %.2f\n", 1000 * l, 1000 * c, 1000 * w, 1000 * e
    printf "sealed / encrypted: %.1f %%, %.1f %% and %.1f %% (aim: under 5 %%)\n", 100 * l / e, 100 * c / e, 100 * w / e }'
}

pods() {
  local megabytes=${MEGABYTES:-100} count=${PODS:-10} kind i pid
  make_image $megabytes
  "$kist" image cache gc >/dev/null
  for kind in ${KINDS:-sealed encrypted}; do
    local memory=0
    for i in $(seq "$count"); do
      "$kist" run -d --start-timeout 900 --name "pod$i" "$registry/bench:$kind$megabytes" sleep 1000 >/dev/null
    done
    # Guest memory is what QEMU has as anonymous and shared memory of its own; file pages are the host's cache.
    for pid in $(pgrep -f 'name kist-pod,process=kist-pod' || true); do
      tr '\0' '\n' <"/proc/$pid/environ" >/dev/null 2>&1 || continue
      grep -q "$KIST_HOME" "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")/cmdline" || continue
      memory=$((memory + $(awk '/^RssAnon|^RssShmem/ { s += $2 } END { print s }' "/proc/$pid/status")))
    done
    echo "$kind $memory" | tee -a "$work/memory" | sed "s/^/$count pods, KiB of memory: /"
    for i in $(seq "$count"); do "$kist" rm -f "pod$i" >/dev/null; done
  done
  local blob
  blob=$("$kist" image cache ls --json | grep -o '"bytes": *[0-9]*' | head -1 | grep -o '[0-9]*')
  awk -v b="$blob" -v m="$megabytes" -v n="$count" '{ k[$1] = $2 } END {
    printf "%d pods of a %d MB image, fetched: sealed %.0f MB in all, encrypted %.0f MB: %.1f times less\n", n, m, b / 1e6, n * m, n * m * 1e6 / b
    printf "memory: sealed %.0f MiB, encrypted %.0f MiB: %.1f times less\n", k["sealed"] / 1024, k["encrypted"] / 1024, k["encrypted"] / k["sealed"] }' "$work/memory"
}

prepare() {
  for megabytes in ${SIZES:-10 100 1000}; do
    make_image $megabytes
  done
}

case $what in
  prepare) prepare ;;
  start) start ;;
  pods) pods ;;
  all) start; pods ;;
esac
