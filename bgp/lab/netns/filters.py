"""What keeps the frames of two ports of a bridge from each other, by nftables: whatever they carry, ARP and ND included.

Every pair has a table of its own, so that it is made and taken away as a whole. It is gone with its namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.nftables.expressions import genex, verdict
from pyroute2.nftables.main import NFTables

#: linux/netfilter.h, linux/netfilter/nf_tables.h.
NFPROTO_BRIDGE: Final = 7
NF_DROP: Final = 0
NF_ACCEPT: Final = 1
NFT_META_IIFNAME: Final = 6
NFT_META_OIFNAME: Final = 7
NFT_REG_1: Final = 1
NFT_CMP_EQ: Final = 0
IFNAMSIZ: Final = 16


def part(pairs: Iterable[tuple[str, str]], *, both: bool = True) -> None:
    """Let nothing pass from the first to the second port of each pair, nor back unless `both` is false.

    Raises OSError where the kernel has no nftables for bridges.
    """
    with NFTables(nfgen_family=NFPROTO_BRIDGE) as tables:
        try:
            for one, other in pairs:
                _add(tables, one, other, both)
        except NetlinkError as error:
            raise OSError(
                error.code, f"the bridge cannot keep two ports apart, for want of nftables: {error}"
            ) from error


def _add(tables: NFTables, one: str, other: str, both: bool) -> None:
    table = _name(one, other)
    tables.table("add", name=table)
    tables.chain("add", table=table, name="forward", hook="forward", type="filter", policy=NF_ACCEPT)
    for source, target in ((one, other), (other, one))[: 2 if both else 1]:
        rule = (_is(NFT_META_IIFNAME, source), _is(NFT_META_OIFNAME, target), verdict(code=NF_DROP))
        tables.rule("add", table=table, chain="forward", expressions=rule)


def join(pairs: Iterable[tuple[str, str]]) -> None:
    """Let pairs that were parted talk again."""
    with NFTables(nfgen_family=NFPROTO_BRIDGE) as tables:
        for one, other in pairs:
            with suppress(NetlinkError):  # of a pair that was not
                tables.table("del", name=_name(one, other))


def _name(one: str, other: str) -> str:
    return f"{one}-{other}"


def _is(key: int, port: str) -> list[Any]:  # pyroute2's expressions are nested dictionaries
    value = {"attrs": [("NFTA_DATA_VALUE", port.encode().ljust(IFNAMSIZ, b"\0"))]}
    compare = {"sreg": NFT_REG_1, "op": NFT_CMP_EQ, "data": value}
    return [genex("meta", {"key": key, "dreg": NFT_REG_1}), genex("cmp", compare)]
