"""What a node announces, from what others write: whole blocks, borrowed addresses, and all that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

from bgp.app.node.blocks import read_blocks, wanted
from bgp.app.node.options import NodeOptions
from rib.prefix import Prefix


def options(folder: Path, **more: object) -> NodeOptions:
    return NodeOptions(pods=str(folder / "pods"), **more)  # type: ignore[arg-type]


def test_a_list_of_blocks_has_comments_and_names_what_is_wrong() -> None:
    text = "# ours\n10.244.0.0/26\n\nfd00::/122  # six\n10.244.0.1/26\nnonsense\n"
    found = list(read_blocks(text))
    assert found[:2] == [(2, Prefix("10.244.0.0/26")), (4, Prefix("fd00::/122"))]
    assert found[2] == (5, "'10.244.0.1/26' has host bits set; the prefix is 10.244.0.0/26")
    assert found[3] == (6, "'nonsense' is not an IP prefix")


def test_an_address_in_a_block_of_ours_is_not_announced_by_itself(tmp_path: Path) -> None:
    (tmp_path / "pods").mkdir()
    pod = {"addresses": ["10.244.0.5", "10.244.9.9", "fd00::9"]}
    (tmp_path / "pods" / "c1:eth0").write_text(json.dumps(pod))
    found = wanted(options(tmp_path, blocks=(Prefix("10.244.0.0/26"),)))
    assert found.blocks == {Prefix("10.244.0.0/26")}
    assert found.borrowed == {Prefix("10.244.9.9/32"), Prefix("fd00::9/128")}
    assert found.problems == ()


def test_the_state_of_host_local_names_addresses_by_files(tmp_path: Path) -> None:
    state = tmp_path / "cbr0"
    state.mkdir()
    for name in ("10.244.0.2", "10.244.7.2", "last_reserved_ip.0", "lock"):
        (state / name).write_text("")
    found = wanted(options(tmp_path, blocks=(Prefix("10.244.0.0/26"),), host_local=str(state)))
    assert found.borrowed == {Prefix("10.244.7.2/32")}


def test_what_cannot_be_read_is_said_and_costs_only_itself(tmp_path: Path) -> None:
    pods = tmp_path / "pods"
    pods.mkdir()
    (pods / "a:eth0").write_text("no json")
    (pods / "b:eth0").write_text('{"addresses": 5}')
    (pods / "c:eth0").write_text('{"addresses": ["10.0.0.1"]}')
    (pods / ".d:eth0.77").write_text("just being written")
    blocks = tmp_path / "blocks"
    blocks.write_text("10.244.0.0/26\nbad\n")
    found = wanted(options(tmp_path, blocks_file=str(blocks), host_local=str(tmp_path / "absent")))
    assert found.prefixes == {Prefix("10.244.0.0/26"), Prefix("10.0.0.1/32")}
    assert len(found.problems) == 4
    assert f"{blocks}:2: 'bad' is not an IP prefix" in found.problems


def test_without_pods_nothing_is_wrong(tmp_path: Path) -> None:
    assert wanted(options(tmp_path)).problems == ()


def test_a_broken_list_of_blocks_takes_none_back_until_it_is_right(tmp_path: Path) -> None:
    blocks, own = tmp_path / "blocks", options(tmp_path, blocks_file=str(tmp_path / "blocks"))
    one, two = Prefix("10.244.1.0/26"), Prefix("10.244.2.0/26")
    blocks.write_text(f"{one}\n")
    found = wanted(own)
    blocks.write_text(f"{two}\n10.244.")
    found = wanted(own, found.blocks)
    assert found.blocks == {one, two}
    assert found.problems
    blocks.unlink()
    found = wanted(own, found.blocks)
    assert found.blocks == {one, two}
    blocks.write_text(f"{two}\n")
    assert wanted(own, found.blocks) == ({two}, frozenset(), ())
