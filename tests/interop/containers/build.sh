#!/bin/sh
# Builds the image localhost/trio-bgp-peers, if it is not there. Needs root, podman, runc, buildah and mmdebstrap.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
podman="podman --runtime runc --cgroup-manager cgroupfs"
base=docker.io/library/debian:bookworm-slim
$podman image exists localhost/trio-bgp-peers && exit 0
if ! $podman image exists "$base"; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mmdebstrap --quiet --variant=minbase bookworm "$folder/base.tar"
    $podman import --quiet "$folder/base.tar" "$base" >/dev/null
fi
$podman build --quiet --pull=never --network=host --isolation=chroot -t localhost/trio-bgp-peers "$here" >/dev/null
