"""A folder for each node with its bird.conf and its frr.conf."""

from __future__ import annotations

from pathlib import Path

from bgp.error import LocalError
from bgp.lab.export.bird import bird_configuration
from bgp.lab.export.frr import frr_configuration
from bgp.topology.model import Topology


def export_topology(topology: Topology, folder: Path) -> list[Path]:
    """Write `folder`/NODE/bird.conf and frr.conf for every node; gives the files.

    Raises LocalError for a policy that the other speakers have no words for, or a folder that cannot be written.
    """
    written: list[Path] = []
    for node in topology.nodes:
        texts = {
            "bird.conf": bird_configuration(topology, node.name),
            "frr.conf": frr_configuration(topology, node.name),
        }
        for name, text in texts.items():
            file = folder / node.name / name
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            except OSError as error:
                raise LocalError(f"cannot write {file}: {error.strerror}") from error
            written.append(file)
    return written
