"""The numbers of BGP as IANA lists them, each with the RFC that defines it. A number that is not here stays itself."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final


class MessageType(IntEnum):
    """BGP message types."""

    OPEN = 1  #: RFC 4271
    UPDATE = 2  #: RFC 4271
    NOTIFICATION = 3  #: RFC 4271
    KEEPALIVE = 4  #: RFC 4271
    ROUTE_REFRESH = 5  #: RFC 2918


class NotificationCode(IntEnum):
    """BGP error codes."""

    MESSAGE_HEADER_ERROR = 1  #: RFC 4271
    OPEN_MESSAGE_ERROR = 2  #: RFC 4271
    UPDATE_MESSAGE_ERROR = 3  #: RFC 4271
    HOLD_TIMER_EXPIRED = 4  #: RFC 4271
    FINITE_STATE_MACHINE_ERROR = 5  #: RFC 4271, subcodes RFC 6608
    CEASE = 6  #: RFC 4271, subcodes RFC 4486
    ROUTE_REFRESH_MESSAGE_ERROR = 7  #: RFC 7313
    SEND_HOLD_TIMER_EXPIRED = 8  #: RFC 9687


class HeaderSubcode(IntEnum):
    """Subcodes of Message Header Error (RFC 4271 6.1)."""

    CONNECTION_NOT_SYNCHRONIZED = 1
    BAD_MESSAGE_LENGTH = 2
    BAD_MESSAGE_TYPE = 3


class OpenSubcode(IntEnum):
    """Subcodes of OPEN Message Error (RFC 4271 6.2)."""

    UNSPECIFIC = 0
    UNSUPPORTED_VERSION_NUMBER = 1
    BAD_PEER_AS = 2
    BAD_BGP_IDENTIFIER = 3
    UNSUPPORTED_OPTIONAL_PARAMETER = 4
    AUTHENTICATION_FAILURE = 5  #: deprecated by RFC 4271
    UNACCEPTABLE_HOLD_TIME = 6
    UNSUPPORTED_CAPABILITY = 7  #: RFC 5492
    ROLE_MISMATCH = 11  #: RFC 9234


class UpdateSubcode(IntEnum):
    """Subcodes of UPDATE Message Error (RFC 4271 6.3)."""

    UNSPECIFIC = 0
    MALFORMED_ATTRIBUTE_LIST = 1
    UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE = 2
    MISSING_WELL_KNOWN_ATTRIBUTE = 3
    ATTRIBUTE_FLAGS_ERROR = 4
    ATTRIBUTE_LENGTH_ERROR = 5
    INVALID_ORIGIN_ATTRIBUTE = 6
    INVALID_NEXT_HOP_ATTRIBUTE = 8
    OPTIONAL_ATTRIBUTE_ERROR = 9
    INVALID_NETWORK_FIELD = 10
    MALFORMED_AS_PATH = 11


class FsmSubcode(IntEnum):
    """Subcodes of Finite State Machine Error (RFC 6608)."""

    UNSPECIFIED_ERROR = 0
    UNEXPECTED_MESSAGE_IN_OPEN_SENT = 1
    UNEXPECTED_MESSAGE_IN_OPEN_CONFIRM = 2
    UNEXPECTED_MESSAGE_IN_ESTABLISHED = 3


class CeaseSubcode(IntEnum):
    """Subcodes of Cease (RFC 4486)."""

    MAXIMUM_NUMBER_OF_PREFIXES_REACHED = 1
    ADMINISTRATIVE_SHUTDOWN = 2
    PEER_DE_CONFIGURED = 3
    ADMINISTRATIVE_RESET = 4
    CONNECTION_REJECTED = 5
    OTHER_CONFIGURATION_CHANGE = 6
    CONNECTION_COLLISION_RESOLUTION = 7
    OUT_OF_RESOURCES = 8
    HARD_RESET = 9  #: RFC 8538
    BFD_DOWN = 10  #: RFC 9384


class RouteRefreshSubcode(IntEnum):
    """Subcodes of ROUTE-REFRESH Message Error (RFC 7313 5)."""

    INVALID_MESSAGE_LENGTH = 1


class RouteRefreshSubtype(IntEnum):
    """What a ROUTE-REFRESH says (RFC 7313 3.2)."""

    REQUEST = 0  #: RFC 2918
    BEGIN = 1
    END = 2


class OptionalParameter(IntEnum):
    """OPEN optional parameters."""

    AUTHENTICATION = 1  #: deprecated by RFC 4271
    CAPABILITIES = 2  #: RFC 5492
    EXTENDED_LENGTH = 255  #: RFC 9072


class CapabilityCode(IntEnum):
    """Capabilities (RFC 5492)."""

    MULTIPROTOCOL = 1  #: RFC 2858
    ROUTE_REFRESH = 2  #: RFC 2918
    OUTBOUND_ROUTE_FILTERING = 3  #: RFC 5291
    MULTIPLE_ROUTES = 4  #: deprecated by RFC 8277
    EXTENDED_NEXT_HOP = 5  #: RFC 8950
    EXTENDED_MESSAGE = 6  #: RFC 8654
    BGPSEC = 7  #: RFC 8205
    MULTIPLE_LABELS = 8  #: RFC 8277
    BGP_ROLE = 9  #: RFC 9234
    GRACEFUL_RESTART = 64  #: RFC 4724
    FOUR_OCTET_AS = 65  #: RFC 6793
    DEPRECATED_DYNAMIC_CAPABILITY = 66  #: deprecated, draft-ietf-idr-dynamic-cap
    DYNAMIC_CAPABILITY = 67  #: draft-ietf-idr-dynamic-cap
    MULTISESSION = 68  #: draft-ietf-idr-bgp-multisession
    ADD_PATH = 69  #: RFC 7911
    ENHANCED_ROUTE_REFRESH = 70  #: RFC 7313
    LONG_LIVED_GRACEFUL_RESTART = 71  #: RFC 9494
    ROUTING_POLICY_DISTRIBUTION = 72  #: draft-ietf-idr-rpd
    FQDN = 73  #: draft-walton-bgp-hostname-capability
    BFD_STRICT_MODE = 74  #: draft-ietf-idr-bgp-bfd-strict-mode
    SOFTWARE_VERSION = 75  #: draft-abraitis-bgp-version-capability
    PATHS_LIMIT = 76  #: draft-abraitis-idr-addpath-paths-limit
    LINK_LOCAL_NEXT_HOP = 77  #: draft-ietf-idr-linklocal-capability
    PRESTANDARD_ROUTE_REFRESH = 128  #: deprecated by RFC 8810
    PRESTANDARD_OUTBOUND_ROUTE_FILTERING = 130  #: deprecated by RFC 8810
    PRESTANDARD_MULTISESSION = 131  #: deprecated by RFC 8810


class RoleNumber(IntEnum):
    """Values of the role capability (RFC 9234 4.1)."""

    PROVIDER = 0
    RS = 1
    RS_CLIENT = 2
    CUSTOMER = 3
    PEER = 4


class AttributeFlag(IntFlag):
    """Flags of a path attribute (RFC 4271 4.3)."""

    OPTIONAL = 0x80
    TRANSITIVE = 0x40
    PARTIAL = 0x20
    EXTENDED_LENGTH = 0x10


class AttributeCode(IntEnum):
    """Path attribute type codes."""

    ORIGIN = 1  #: RFC 4271
    AS_PATH = 2  #: RFC 4271
    NEXT_HOP = 3  #: RFC 4271
    MULTI_EXIT_DISC = 4  #: RFC 4271
    LOCAL_PREF = 5  #: RFC 4271
    ATOMIC_AGGREGATE = 6  #: RFC 4271
    AGGREGATOR = 7  #: RFC 4271
    COMMUNITIES = 8  #: RFC 1997
    ORIGINATOR_ID = 9  #: RFC 4456
    CLUSTER_LIST = 10  #: RFC 4456
    DPA = 11  #: deprecated by RFC 6938
    ADVERTISER = 12  #: deprecated by RFC 6938
    RCID_PATH = 13  #: deprecated by RFC 6938
    MP_REACH_NLRI = 14  #: RFC 4760
    MP_UNREACH_NLRI = 15  #: RFC 4760
    EXTENDED_COMMUNITIES = 16  #: RFC 4360
    AS4_PATH = 17  #: RFC 6793
    AS4_AGGREGATOR = 18  #: RFC 6793
    SAFI_SPECIFIC = 19  #: deprecated, draft-kapoor-nalawade-idr-bgp-ssa
    CONNECTOR = 20  #: deprecated, RFC 6037
    AS_PATHLIMIT = 21  #: deprecated, draft-ietf-idr-as-pathlimit
    PMSI_TUNNEL = 22  #: RFC 6514
    TUNNEL_ENCAPSULATION = 23  #: RFC 9012
    TRAFFIC_ENGINEERING = 24  #: RFC 5543
    IPV6_EXTENDED_COMMUNITIES = 25  #: RFC 5701
    AIGP = 26  #: RFC 7311
    PE_DISTINGUISHER_LABELS = 27  #: RFC 6514
    ENTROPY_LABEL_CAPABILITY = 28  #: RFC 6790, deprecated by RFC 7447
    BGP_LS = 29  #: RFC 9552
    LARGE_COMMUNITIES = 32  #: RFC 8092
    BGPSEC_PATH = 33  #: RFC 8205
    COMMUNITY_CONTAINER = 34  #: draft-ietf-idr-wide-bgp-communities
    ONLY_TO_CUSTOMER = 35  #: RFC 9234
    D_PATH = 36  #: draft-ietf-bess-evpn-ipvpn-interworking
    SFP = 37  #: RFC 9015
    BFD_DISCRIMINATOR = 38  #: RFC 9026
    NEXT_HOP_CHARACTERISTICS = 39  #: draft-ietf-idr-nhc
    PREFIX_SID = 40  #: RFC 8669
    BIER = 41  #: RFC 9793
    EDGE_METADATA = 42  #: draft-ietf-idr-5g-edge-service-metadata
    ATTR_SET = 128  #: RFC 6368
    DEVELOPMENT = 255  #: RFC 2042


#: Path attributes that nobody should send any more.
DEPRECATED_ATTRIBUTES: Final = frozenset(
    {
        AttributeCode.DPA,
        AttributeCode.ADVERTISER,
        AttributeCode.RCID_PATH,
        AttributeCode.SAFI_SPECIFIC,
        AttributeCode.CONNECTOR,
        AttributeCode.AS_PATHLIMIT,
        AttributeCode.ENTROPY_LABEL_CAPABILITY,
    }
)


class LinkStateTlvType(IntEnum):
    """TLVs of the BGP-LS attribute (RFC 9552 5.3), those whose value is read."""

    NODE_FLAGS = 1024
    NODE_NAME = 1026
    LOCAL_IPV4_ROUTER_ID = 1028
    LOCAL_IPV6_ROUTER_ID = 1029
    REMOTE_IPV4_ROUTER_ID = 1030
    REMOTE_IPV6_ROUTER_ID = 1031
    ADMINISTRATIVE_GROUP = 1088
    MAXIMUM_BANDWIDTH = 1089
    MAXIMUM_RESERVABLE_BANDWIDTH = 1090
    UNRESERVED_BANDWIDTH = 1091
    TE_DEFAULT_METRIC = 1092
    LINK_PROTECTION = 1093
    MPLS_PROTOCOLS = 1094
    IGP_METRIC = 1095
    SHARED_RISK_LINK_GROUP = 1096
    LINK_NAME = 1098
    DELAY = 1114  #: RFC 8571
    DELAY_VARIATION = 1116  #: RFC 8571
    LINK_LOSS = 1117  #: RFC 8571
    IGP_FLAGS = 1152
    ROUTE_TAG = 1153
    PREFIX_METRIC = 1155
    OSPF_FORWARDING_ADDRESS = 1156
    SOURCE_ROUTER = 1171  #: RFC 9085


#: RFC 6793 9: stands for an AS number that does not fit two octets.
AS_TRANS: Final = 23456

#: The subcodes of each error code.
SUBCODES: Final[dict[int, type[IntEnum]]] = {
    NotificationCode.MESSAGE_HEADER_ERROR: HeaderSubcode,
    NotificationCode.OPEN_MESSAGE_ERROR: OpenSubcode,
    NotificationCode.UPDATE_MESSAGE_ERROR: UpdateSubcode,
    NotificationCode.FINITE_STATE_MACHINE_ERROR: FsmSubcode,
    NotificationCode.CEASE: CeaseSubcode,
    NotificationCode.ROUTE_REFRESH_MESSAGE_ERROR: RouteRefreshSubcode,
}
