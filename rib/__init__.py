"""Routes and what is decided about them: prefixes, paths, communities, policies, the RIBs. No I/O.

What is asked for is loaded then (PEP 562): whoever wants a `Prefix` does not wait for the RIBs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rib.adj_in import AdjRibIn, ImportRules
    from rib.adj_out import AdjRibOut
    from rib.as_path import AsPath, Segment, SegmentType
    from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
    from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity
    from rib.decision import STEPS, DecisionOptions, Step, best, rank
    from rib.eligibility import Ineligible, Why
    from rib.export import Exported, ExportRules, Rewrite
    from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family, Safi
    from rib.flowspec import FlowSpec, VpnFlowSpec
    from rib.labelled import LabelledPrefix, VpnPrefix
    from rib.loc_rib import LocRib
    from rib.next_hop import AnyNextHop, ConnectedNetworks, Resolver
    from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set, accept, reject
    from rib.prefix import Prefix
    from rib.route import Change, Path, Route, Source, SourceKind
    from rib.route_distinguisher import RouteDistinguisher
    from rib.route_target import RouteTargetMembership
    from rib.trie import Found, NlriTrie, PrefixTrie

#: Where each public name is at home.
_HOMES: Final = {
    "AdjRibIn": "rib.adj_in",
    "ImportRules": "rib.adj_in",
    "AdjRibOut": "rib.adj_out",
    "AsPath": "rib.as_path",
    "Segment": "rib.as_path",
    "SegmentType": "rib.as_path",
    "Aggregator": "rib.attributes",
    "Attributes": "rib.attributes",
    "Origin": "rib.attributes",
    "UnknownAttribute": "rib.attributes",
    "Community": "rib.community",
    "ExtendedCommunity": "rib.community",
    "Ipv6ExtendedCommunity": "rib.community",
    "LargeCommunity": "rib.community",
    "STEPS": "rib.decision",
    "DecisionOptions": "rib.decision",
    "Step": "rib.decision",
    "best": "rib.decision",
    "rank": "rib.decision",
    "Ineligible": "rib.eligibility",
    "Why": "rib.eligibility",
    "Exported": "rib.export",
    "ExportRules": "rib.export",
    "Rewrite": "rib.export",
    "IPV4_UNICAST": "rib.family",
    "IPV6_UNICAST": "rib.family",
    "Afi": "rib.family",
    "Family": "rib.family",
    "Safi": "rib.family",
    "FlowSpec": "rib.flowspec",
    "VpnFlowSpec": "rib.flowspec",
    "LabelledPrefix": "rib.labelled",
    "VpnPrefix": "rib.labelled",
    "LocRib": "rib.loc_rib",
    "AnyNextHop": "rib.next_hop",
    "ConnectedNetworks": "rib.next_hop",
    "Resolver": "rib.next_hop",
    "Action": "rib.policy",
    "Match": "rib.policy",
    "Policy": "rib.policy",
    "PrefixRange": "rib.policy",
    "Rule": "rib.policy",
    "Set": "rib.policy",
    "accept": "rib.policy",
    "reject": "rib.policy",
    "Prefix": "rib.prefix",
    "Change": "rib.route",
    "Path": "rib.route",
    "Route": "rib.route",
    "Source": "rib.route",
    "SourceKind": "rib.route",
    "RouteDistinguisher": "rib.route_distinguisher",
    "RouteTargetMembership": "rib.route_target",
    "Found": "rib.trie",
    "NlriTrie": "rib.trie",
    "PrefixTrie": "rib.trie",
}

__all__ = [
    "IPV4_UNICAST",
    "IPV6_UNICAST",
    "STEPS",
    "Action",
    "AdjRibIn",
    "AdjRibOut",
    "Afi",
    "Aggregator",
    "AnyNextHop",
    "AsPath",
    "Attributes",
    "Change",
    "Community",
    "ConnectedNetworks",
    "DecisionOptions",
    "ExportRules",
    "Exported",
    "ExtendedCommunity",
    "Family",
    "FlowSpec",
    "Found",
    "ImportRules",
    "Ineligible",
    "Ipv6ExtendedCommunity",
    "LabelledPrefix",
    "LargeCommunity",
    "LocRib",
    "Match",
    "NlriTrie",
    "Origin",
    "Path",
    "Policy",
    "Prefix",
    "PrefixRange",
    "PrefixTrie",
    "Resolver",
    "Rewrite",
    "Route",
    "RouteDistinguisher",
    "RouteTargetMembership",
    "Rule",
    "Safi",
    "Segment",
    "SegmentType",
    "Set",
    "Source",
    "SourceKind",
    "Step",
    "UnknownAttribute",
    "VpnFlowSpec",
    "VpnPrefix",
    "Why",
    "accept",
    "best",
    "rank",
    "reject",
]


if not TYPE_CHECKING:  # or any name would be right to a type checker

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
