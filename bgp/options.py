"""What a user may set for a speaker and for a peer: plain frozen values.

Sessions, the network layer, topologies and the configuration file share these; none of them adds a knob of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bgp.error import LocalError
from fsm.settings import check_hold_time
from rib.as_path import MAX_ASN
from rib.attributes import DEFAULT_LOCAL_PREF
from rib.decision import DEFAULT_DECISION, DecisionOptions
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.policy import Policy
from rib.roles import Role

#: RFC 4271 10: the suggested hold time, in seconds.
DEFAULT_HOLD_TIME: Final = 90
#: RFC 4271 10 suggests 120 s; a rack that boots wants its sessions sooner, as BIRD and FRR found too.
DEFAULT_CONNECT_RETRY_TIME: Final = 5.0
#: IANA: the port of BGP.
BGP_PORT: Final = 179


class NextHopSelf(Enum):
    """Whose routes leave towards an internal peer with our own address as NEXT_HOP (RFC 4271 5.1.3)."""

    NEVER = "never"  #: iBGP keeps the NEXT_HOP as it is
    EXTERNAL = "external"  #: only routes learned from external peers
    ALWAYS = "always"


class AddPathMode(Enum):
    """What we offer of RFC 7911."""

    OFF = "off"
    RECEIVE = "receive"
    SEND = "send"
    BOTH = "both"


class MalformedFamily(Enum):
    """What an incorrect MP_REACH_NLRI or MP_UNREACH_NLRI costs where other families could go on (RFC 7606 2, RFC 4760 7)."""

    RESET = "reset"  #: the session: NOTIFICATION 3/9
    DISABLE = "disable"  #: the family: its routes go, and are ignored until the session begins anew


class RestartMode(Enum):
    """Our part in graceful restarts (RFC 4724)."""

    OFF = "off"
    AWARE = "aware"  #: keep the routes of a peer that restarts
    ON = "on"  #: also ask the peer to keep ours


_U32: Final = (1 << 32) - 1
#: The lowest and the highest that numbers among the options can be; a configuration file is held against these too.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "asn": (1, MAX_ASN),
    "local_asn": (1, MAX_ASN),
    "confederation": (1, MAX_ASN),
    "port": (1, 65535),
    "allowas_in": (0, 255),
    "default_local_pref": (0, _U32),
    "max_prefixes": (1, _U32),
    "add_path_limit": (1, 65535),  # draft-ietf-idr-add-paths-limit: two octets
    "restart_time": (0, 4095),  # RFC 4724 3: 12 bits
    "multihop": (1, 255),
}


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """One neighbour. `address` is its IP address as text; times are in seconds.

    `import_policy` and `export_policy` None on an external session: nothing is accepted or announced (RFC 8212);
    on an internal one: everything is. Raises ValueError for a number that cannot be.
    """

    address: str  #: its IP address
    asn: int  #: its AS number
    name: str = ""  #: what to call it
    port: int = BGP_PORT  #: to which we connect
    local_address: str | None = None  #: from which we connect; None: what the system chooses
    local_asn: int | None = None  #: our AS number towards this peer; None: the speaker's
    passive: bool = False  #: wait for the peer to connect
    families: tuple[Family, ...] = (IPV4_UNICAST, IPV6_UNICAST)  #: of which routes are exchanged
    hold_time: int = DEFAULT_HOLD_TIME  #: what we propose; 0 for a session that is never given up
    connect_retry_time: float = DEFAULT_CONNECT_RETRY_TIME  #: the longest pause between two attempts to connect
    #: the longest pause after a session that failed; it doubles from 1 s up to this; None: 60 s, 5 s if passive
    idle_hold_time: float | None = None
    import_policy: Policy | None = None  #: which of the peer's routes we take, and how
    export_policy: Policy | None = None  #: which routes the peer hears of, and how
    next_hop_self: NextHopSelf = NextHopSelf.NEVER  #: towards an internal peer, our own address as next hop
    next_hop_ipv4: str | None = None  #: our next hop for IPv4 routes where it is not the session's local address
    next_hop_ipv6: str | None = None  #: our next hop for IPv6 routes where it is not the session's local address
    route_reflector_client: bool = False  #: reflect routes of internal peers to it, and its routes to them (RFC 4456)
    route_server_client: bool = False  #: add neither our AS number nor our next hop (RFC 7947)
    allowas_in: int = 0  #: how often our own AS number may stand in a received AS_PATH
    as_override: bool = False  #: write our AS number over the peer's in the AS_PATH sent to it
    enforce_first_as: bool = True  #: an external peer's AS_PATHs begin with its AS number (RFC 4271 6.3)
    reject_as_sets: bool = False  #: routes with AS_SET or AS_CONFED_SET in their AS_PATH are not used (RFC 9774)
    malformed_family: MalformedFamily = MalformedFamily.RESET  #: what routes that cannot be told apart cost
    default_originate: bool = False  #: announce a default route of our own, whatever there is
    own_prefixes_only: bool = False  #: announce only what this speaker originates
    bilateral: bool = False  #: neither customer nor provider: routes with no-peer stay here (RFC 3765)
    #: Networks that we and an external peer are on: a next hop there goes out as it is (RFC 4271 5.1.3 2).
    shared_networks: tuple[str, ...] = ()
    role: Role | None = None  #: what we are to an external peer: finds route leaks and makes none (RFC 9234)
    strict_role: bool = False  #: the peer must say its role too
    default_local_pref: int = DEFAULT_LOCAL_PREF  #: LOCAL_PREF of routes that come without one
    max_prefixes: int | None = None  #: per family; more ends the session (RFC 4486, Cease 6/1)
    add_path: AddPathMode = AddPathMode.OFF  #: several paths to a prefix (RFC 7911)
    add_path_limit: int | None = None  #: the most paths to a prefix that we send under add-path; None: all
    extended_messages: bool = True  #: messages of up to 65,535 octets (RFC 8654)
    extended_next_hop: bool = True  #: over IPv6: IPv4 routes may have an IPv6 next hop (RFC 8950)
    graceful_shutdown: bool = True  #: routes that an external peer is about to take back are the last choice (RFC 8326)
    graceful_restart: RestartMode = RestartMode.AWARE  #: RFC 4724
    restart_time: int = 120  #: how long the peer should wait for us, at most 4095
    stale_time: float = 360.0  #: how long routes of before a restart or a refresh wait to be said again
    password: str | None = None  #: TCP-MD5 (RFC 2385)
    ttl_security: bool = False  #: GTSM (RFC 5082)
    multihop: int | None = None  #: TTL of an external session that is not one hop away

    def __post_init__(self) -> None:
        check_hold_time(self.hold_time)
        _check_limits(self)

    @property
    def label(self) -> str:
        """The name to show: the configured one or the address."""
        return self.name or self.address


def _check_limits(options: PeerOptions | SpeakerOptions) -> None:
    for name, (lowest, highest) in LIMITS.items():
        number = getattr(options, name, None)
        if number is not None and not lowest <= number <= highest:
            raise LocalError(f"{name} must be from {lowest} to {highest}, not {number}")


@dataclass(frozen=True, slots=True)
class SpeakerOptions:
    """One speaker. `listen` holds "ADDRESS:PORT" or "[IPV6]:PORT" texts; empty: it only dials.

    Raises ValueError for a number that cannot be.
    """

    asn: int  #: our AS number
    router_id: str  #: our BGP identifier
    listen: tuple[str, ...] = ()  #: where it waits for peers; nowhere: it only dials
    cluster_id: str | None = None  #: RFC 4456; default: the BGP identifier
    confederation: int | None = None  #: the AS number that others see; `asn` is that of our member AS (RFC 5065)
    confederation_members: tuple[int, ...] = ()  #: the AS numbers of the other members with which we have sessions
    networks: tuple[str, ...] | None = None  #: on which next hops are reachable; None: every next hop is
    hostname: str = ""  #: told to peers
    restarting: bool = False  #: packets went on by the routes of before (RFC 4724 4.1): tell peers, and listen first
    selection_deferral_time: float = 120.0  #: how long a restarting speaker listens at most
    absent_peer_time: float = 30.0  #: of that, how long it waits for a session with peers that do not come up
    decision: DecisionOptions = DEFAULT_DECISION  #: how the best path is chosen

    def __post_init__(self) -> None:
        _check_limits(self)
        if self.confederation_members and self.confederation is None:
            raise LocalError("confederation_members without confederation, the AS number that others see (RFC 5065)")
