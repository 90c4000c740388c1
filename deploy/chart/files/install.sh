#!/bin/sh
# Copies Kist to the node and tells containerd of it. Run again, it changes nothing that is as it should be.
set -eu
from=/opt/kist host=/host
mkdir -p "$host/opt/kist/bin" "$host/opt/kist/guest"
changed=no
for file in bin/kist bin/kist-agent bin/containerd-shim-kist-v2 bin/kist-rune guest/OVMF.fd guest/vmlinuz guest/initrd guest/manifest.json; do
  if ! cmp -s "$from/$file" "$host/opt/kist/$file"; then
    # A running shim keeps its own file: the new one takes the old one's name, it does not overwrite it.
    cp "$from/$file" "$host/opt/kist/$file.new"
    mv "$host/opt/kist/$file.new" "$host/opt/kist/$file"
    changed=yes
  fi
done
# The WebAssembly runtime of enclaves is measured as a whole, so it changes as a whole.
if ! diff -r "$from/bin/wasm" "$host/opt/kist/bin/wasm" >/dev/null 2>&1; then
  rm -rf "$host/opt/kist/bin/wasm.new"
  cp -r "$from/bin/wasm" "$host/opt/kist/bin/wasm.new"
  rm -rf "$host/opt/kist/bin/wasm"
  mv "$host/opt/kist/bin/wasm.new" "$host/opt/kist/bin/wasm"
fi
ln -sf /opt/kist/bin/containerd-shim-kist-v2 "$host/usr/local/bin/containerd-shim-kist-v2"
mkdir -p "$host/etc/containerd/conf.d"
if ! cmp -s /script/kist.toml "$host/etc/containerd/conf.d/kist.toml"; then
  cp /script/kist.toml "$host/etc/containerd/conf.d/kist.toml"
  changed=yes
fi
grep -q 'conf.d' "$host/etc/containerd/config.toml" || {
  echo "add to /etc/containerd/config.toml of this node: imports = [\"/etc/containerd/conf.d/*.toml\"]" >&2
  exit 1
}
if [ "$changed" = yes ]; then
  nsenter --target 1 --mount --uts --ipc --net --pid -- systemctl restart containerd
fi
touch /ready/done
# The node keeps its label as long as this runs.
exec sleep infinity
