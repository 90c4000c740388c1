#!/usr/bin/env bash
# Fetches other implementations that Kist is tested against and that Debian 12 lacks or builds without the features in
# question: skopeo with key providers and PKCS #11, cosign 2, and OpenSSL 3.5 with hybrid key exchange from Debian 13, and
# cosign 3 from Debian unstable. They are unpacked into artifacts/interop and run there with Debian 13's own libraries; nothing
# is installed. Tests that need them skip where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/artifacts/interop
[ -x "$root/bin/cosign3" ] && [ -x "$root/bin/openssl35" ] && exit 0

packages=(
  skopeo cosign openssl libsofthsm2
  libc6 libgcc-s1 libstdc++6 zlib1g libzstd1 libssl3t64 libgpgme11t64 libsqlite3-0 libassuan9 libgpg-error0 libsubid5
  libaudit1 libselinux1 libpcre2-8-0 libcap-ng0 libpcsclite1 libcrypt1 libpam0g libattr1 libacl1 libbsd0 libmd0
  libsemanage2 libsepol2 libbz2-1.0
)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial "$work"/debs "$work"/none "$root/bin"
touch "$work/state/status"
# From where this machine has its own Debian packages.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo "interop: no Debian mirror is configured for apt" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$work/sources.list"
sed 's/ trixie / sid /' "$work/sources.list" > "$work/more" && cat "$work/more" >> "$work/sources.list"
cat > "$work/apt.conf" <<EOF
Dir::State "$work/state"; Dir::State::status "$work/state/status"; Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list"; Dir::Etc::sourceparts "$work/none"; Dir::Etc::preferencesparts "$work/none";
APT::Architecture "amd64"; APT::Sandbox::User ""; Acquire::Languages "none";
EOF
export APT_CONFIG=$work/apt.conf
echo "interop: fetching skopeo, cosign and OpenSSL of Debian 13" >&2
apt-get update -qq >&2
(cd "$work/debs" && apt-get download -qq "${packages[@]/%//trixie}" >&2)
for package in "$work"/debs/*.deb; do dpkg -x "$package" "$root/root"; done
mkdir "$work/newer" && (cd "$work/newer" && apt-get download -qq cosign/sid >&2)
dpkg-deb --fsys-tarfile "$work"/newer/cosign_*.deb | tar -xO ./usr/bin/cosign > "$root/root/usr/bin/cosign3"
chmod +x "$root/root/usr/bin/cosign3"
mv "$root/root/usr/bin/openssl" "$root/root/usr/bin/openssl35"
for program in skopeo cosign cosign3 openssl35; do
  libraries=$root/root/usr/lib/x86_64-linux-gnu
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
    "$libraries/ld-linux-x86-64.so.2" "$libraries" "$root/root/usr/bin/$program" > "$root/bin/$program"
  chmod +x "$root/bin/$program"
done
