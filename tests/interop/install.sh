#!/bin/sh
# Installs the daemons that the interop tests talk to, from Debian's or Ubuntu's packages. Needs root; says what it does.
set -eu
missing=
for program in bird:bird2 /usr/lib/frr/bgpd:frr ip:iproute2 tshark:tshark gobgpd:gobgpd bgpdump:bgpdump \
    ping:iputils-ping sysctl:procps podman:podman runc:runc buildah:buildah mmdebstrap:mmdebstrap \
    netavark:netavark /usr/lib/cni/ptp:containernetworking-plugins unshare:util-linux; do
    command -v "${program%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${program%%:*}" ] || [ -x "/usr/lib/podman/${program%%:*}" ] || missing="$missing ${program#*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The interop tests need$missing: install them as root on Debian or Ubuntu (apt-get install$missing)." >&2
    exit 1
fi
echo "Installing$missing with apt-get; their own services are not started."
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made=$policy; }
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
[ -z "${made:-}" ] || rm -f "$made"
