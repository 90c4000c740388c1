#!/usr/bin/env bash
# Installs what Kist needs from Debian, and nothing that is there already. Needs root (or sudo) only if something is
# missing. Prints to standard error; standard output stays empty, so that callers can print results there.
#   eng/setup.sh run    what running containers needs
#   eng/setup.sh test   that, and what the tests talk to
set -euo pipefail

run_packages=(
  qemu-system-x86 ovmf socat            # the virtual machine, its firmware, its doors
  iproute2                              # a pod's network: ip and tc
  docker-registry                       # the development registry
  busybox-static                        # the demo's image
  apt dpkg                              # kist guest build takes kernel and crun from Debian packages
  clang lld cmake libssl-dev zlib1g-dev # NativeAOT, and OpenSSL inside the static guest agent
)
test_packages=(
  crun runc containerd containernetworking-plugins podman docker.io skopeo umoci erofs-utils cryptsetup-bin openssl
  swtpm tpm2-tools softhsm2 python3 python3-jwcrypto python3-cbor2 python3-cryptography postgresql chromium cpio gnupg iproute2
)

want=("${run_packages[@]}")
if [ "${1:-run}" = test ]; then want+=("${test_packages[@]}"); fi

missing=()
for package in "${want[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done

if ! command -v dotnet >/dev/null; then
  echo "setup: the .NET 10 SDK is not on the path; install it first" >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi

# Package lists are needed to install, and later to download the guest's packages.
if [ "${#missing[@]}" -gt 0 ] || ! apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1; then
  echo "setup: reading Debian's package lists" >&2
  "${as_root[@]}" apt-get update -qq >&2
fi

if [ "${#missing[@]}" -gt 0 ]; then
  echo "setup: installing ${missing[*]}" >&2
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

if [ "${1:-run}" = test ]; then
  # A mirror that stalls must not stop everything.
  timeout 600 "$(dirname "$0")/interop.sh" || echo "setup: tests against Debian 13's skopeo and cosign will be skipped" >&2
fi
