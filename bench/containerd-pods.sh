#!/usr/bin/env bash
# Tasks under containerd: Kist's shim beside runc's and a bare boot of the guest, in one run.  bench/containerd-pods.sh [RUNS]
# Prints medians: start to end of /bin/true, exec of /bin/true in a running task, memory per task (proportional set of shim
# and machine), and ratios. The bare boot is QEMU's start to the kernel's end, of the same firmware, kernel and initrd with
# nothing to run in it. Needs root, eng/setup.sh test and eng/build.sh. Development mode of kist up, image in the clear.
set -euo pipefail
runs=${1:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
bin="$root/artifacts/bin"
dir=$(mktemp -d /tmp/kist-bench-XXXXXX)
export KIST_HOME="$dir/kist"
cleanup() {
  [ -z "${containerd:-}" ] || kill "$containerd" 2>/dev/null || true
  "$bin/kist" down >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap cleanup EXIT

mkdir -p "$dir/rootfs/bin" "$dir/empty"
cp /bin/busybox "$dir/rootfs/bin/"
for applet in sh true sleep; do ln -s busybox "$dir/rootfs/bin/$applet"; done
"$bin/kist" up >/dev/null 2>&1
registry=$(sed -n 's/.*"registry" *: *"\([^"]*\)".*/\1/Ip' "$KIST_HOME/services/endpoints.json")
"$bin/kist" image build "oci:$dir/image:v1" "$dir/rootfs" --cmd /bin/sh >/dev/null 2>&1
"$bin/kist" image copy "oci:$dir/image:v1" "$registry/bench:v1" >/dev/null 2>&1
cat >"$dir/shim.json" <<JSON
{"state": "$KIST_HOME", "development": {"allowPlainImages": true, "allowExec": true}}
JSON
cat >"$dir/config.toml" <<TOML
version = 2
root = "$dir/root"
state = "$dir/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$dir/c.sock"
TOML
containerd --config "$dir/config.toml" >"$dir/log" 2>&1 &
containerd=$!
ctr() { command ctr --address "$dir/c.sock" "$@"; }
until ctr version >/dev/null 2>&1; do sleep 0.1; done

run_kist() { ctr run "$1" --runtime "$bin/containerd-shim-kist-v2" --runtime-config-path "$dir/shim.json" \
  --annotation "org.kist.image=$registry/bench:v1" --rootfs "$dir/empty" "${@:2}"; }
run_runc() { ctr run "$1" --rootfs "$dir/rootfs" "${@:2}"; }
now() { date +%s%N; }
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
start_of() { for i in $(seq "$runs"); do local t; t=$(now); "run_$1" --rm "start-$1-$i" /bin/true; echo $((($(now) - t) / 1000)); done | median; }
exec_of() { for i in $(seq "$runs"); do local t; t=$(now); ctr tasks exec --exec-id "e$i" "kept-$1" /bin/true; echo $((($(now) - t) / 1000)); done | median; }
pss() { local sum=0 pid; for pid in "$@"; do sum=$((sum + $(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup"))); done; echo "$sum"; }

guest="$KIST_HOME/guest"
boot() {
  timeout 120 qemu-system-x86_64 -M q35,smm=off,vmport=off,sata=off,smbus=off,i8042=off -accel tcg,thread=multi -cpu qemu64,+rdrand,+aes,+pclmulqdq,+ssse3,+sse4.1,+sse4.2,+popcnt \
    -m 512 -nodefaults -no-user-config -no-reboot -display none -vga none -serial null -bios "$guest/OVMF.fd" -kernel "$guest/vmlinuz" -initrd "$guest/initrd" \
    -append "$(sed -n 's/.*"commandLine": "\(.*\)",/\1/p' "$guest/manifest.json") rdinit=/nothing" >/dev/null 2>&1
}
bare=$(for i in $(seq "$runs"); do t=$(now); boot; echo $((($(now) - t) / 1000)); done | median)
for kind in runc kist; do
  declare "start_$kind=$(start_of $kind)"
  "run_$kind" -d "kept-$kind" /bin/sleep 1000
  declare "exec_$kind=$(exec_of $kind)"
done
shim_runc=$(pgrep -f "containerd-shim-runc-v2 .*-id kept-runc")
shim_kist=$(pgrep -f "containerd-shim-kist-v2 .*-id kept-kist")
memory_runc=$(pss "$shim_runc")
shim_memory_kist=$(pss "$shim_kist")
machine_kist=$(pss "$(pgrep -P "$shim_kist")")
memory_total=$((shim_memory_kist + machine_kist))
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f", a / b}'; }
echo "start to end of a task   runc $((start_runc / 1000)) ms   kist $((start_kist / 1000)) ms   kist/runc $(ratio "$start_kist" "$start_runc")"
echo "  of it the bare boot    $((bare / 1000)) ms   kist/bare $(ratio "$start_kist" "$bare")"
echo "exec in a running task   runc $((exec_runc / 1000)) ms   kist $((exec_kist / 1000)) ms   kist/runc $(ratio "$exec_kist" "$exec_runc")"
echo "memory of a task's shim  runc $memory_runc KiB   kist $shim_memory_kist KiB   kist/runc $(ratio "$shim_memory_kist" "$memory_runc")"
echo "memory of its machine    kist $machine_kist KiB (monitor and guest), with the shim $memory_total KiB"
for kind in runc kist; do
  ctr tasks kill --signal SIGKILL "kept-$kind"
  until ctr tasks delete "kept-$kind" >/dev/null 2>&1 || [ -z "$(ctr tasks list | grep "kept-$kind")" ]; do sleep 0.1; done
  ctr containers delete "kept-$kind"
done
