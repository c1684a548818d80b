#!/bin/sh
# Feed, two feeders and withdrawal, beside BIRD and FRR in the same run: seconds, ratio to BIRD, CPU, memory.
# Needs root (network namespaces), Debian's bird2 and frr, and the harness in ../shared/peerbench.
#   bench/peers.sh FOLDER      figures as JSON in FOLDER, tables on standard output
set -eu
out=${1:?usage: bench/peers.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
harness=${PEERBENCH:-$here/../../shared/peerbench}
python=$here/../.venv/bin/python
mkdir -p "$out"
run() {
    name=$1; shift
    echo "== $name"
    "$python" "$harness/peerbench.py" --targets bird,frr --baseline bird --json "$out/$name.json" \
        --cmd "$python -m bgp run {config}" --config-template "$here/speaker.toml" --cmd-name ours "$@"
}
run feed-500k --scenario feed --n 500000
run withdraw-100k --scenario withdraw --n 100000
run two-100k --scenario two --n 100000
