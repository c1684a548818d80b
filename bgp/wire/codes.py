"""Codes and flags of path attributes as plain ints, for what runs once an attribute: members of an enumeration cost more.

All codes, and where each comes from, are in `bgp.iana.AttributeCode`.
"""

from __future__ import annotations

from typing import Final

from bgp.iana import AttributeCode, AttributeFlag

OPTIONAL: Final = AttributeFlag.OPTIONAL.value
TRANSITIVE: Final = AttributeFlag.TRANSITIVE.value
PARTIAL: Final = AttributeFlag.PARTIAL.value
EXTENDED_LENGTH: Final = AttributeFlag.EXTENDED_LENGTH.value

ATOMIC_AGGREGATE: Final = AttributeCode.ATOMIC_AGGREGATE.value
AGGREGATOR: Final = AttributeCode.AGGREGATOR.value
COMMUNITIES: Final = AttributeCode.COMMUNITIES.value
ORIGINATOR_ID: Final = AttributeCode.ORIGINATOR_ID.value
CLUSTER_LIST: Final = AttributeCode.CLUSTER_LIST.value
MP_REACH: Final = AttributeCode.MP_REACH_NLRI.value
MP_UNREACH: Final = AttributeCode.MP_UNREACH_NLRI.value
EXT_COMMUNITIES: Final = AttributeCode.EXTENDED_COMMUNITIES.value
IPV6_EXT_COMMUNITIES: Final = AttributeCode.IPV6_EXTENDED_COMMUNITIES.value
AIGP: Final = AttributeCode.AIGP.value
LARGE_COMMUNITIES: Final = AttributeCode.LARGE_COMMUNITIES.value
ONLY_TO_CUSTOMER: Final = AttributeCode.ONLY_TO_CUSTOMER.value
NEXT_HOP_CHARACTERISTICS: Final = AttributeCode.NEXT_HOP_CHARACTERISTICS.value

#: ORIGIN, AS_PATH and NEXT_HOP, which IPv4 prefixes need: bit n for code n (RFC 7606 3 d).
WHOLE: Final = 1 << AttributeCode.ORIGIN | 1 << AttributeCode.AS_PATH | 1 << AttributeCode.NEXT_HOP
#: ORIGIN and AS_PATH, which all prefixes need.
ALWAYS: Final = 1 << AttributeCode.ORIGIN | 1 << AttributeCode.AS_PATH
