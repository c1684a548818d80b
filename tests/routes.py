"""Short ways to make what the tests of the RIB are about."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

from rib.as_path import AsPath
from rib.attributes import Attributes
from rib.prefix import Prefix
from rib.route import Path, Source, SourceKind

LOCAL = Source(SourceKind.LOCAL, "local", 65000, IPv4Address("10.0.0.1"))


def nlri(text: str) -> bytes:
    """The NLRI octets of a prefix."""
    return Prefix(text).nlri


def source(
    number: int = 2, kind: SourceKind = SourceKind.EXTERNAL, asn: int | None = None, *, is_client: bool = False
) -> Source:
    """Peer 10.0.0.NUMBER; of AS 65000 + NUMBER unless it is internal."""
    if asn is None:
        asn = 65000 if kind is SourceKind.INTERNAL else 65000 + number
    address = IPv4Address(f"10.0.0.{number}")
    return Source(kind, f"peer{number}", asn, address, address, is_client)


def attributes(path: str = "65002", next_hop: str | None = "10.0.0.2", **fields: object) -> Attributes:
    """Attributes of an AS_PATH's text and whatever fields."""
    made = Attributes(as_path=AsPath.parse(path), next_hop=None if next_hop is None else ip_address(next_hop))
    return made.replace(**fields) if fields else made


def path(number: int = 2, kind: SourceKind = SourceKind.EXTERNAL, as_path: str | None = None, **fields: object) -> Path:
    """A path from `source(number, kind)`."""
    if as_path is None:
        as_path = "" if kind is SourceKind.INTERNAL else str(65000 + number)
    return Path(attributes(as_path, **fields), source(number, kind))
