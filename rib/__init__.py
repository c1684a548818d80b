"""Routes and what is decided about them: prefixes, paths, communities, policies, the RIBs. No I/O."""

from rib.adj_in import AdjRibIn, ImportRules
from rib.adj_out import AdjRibOut
from rib.as_path import AsPath, Segment, SegmentType
from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.decision import STEPS, DecisionOptions, Step, best, rank
from rib.eligibility import Ineligible, Why
from rib.export import Exported, ExportRules, Rewrite
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family, Safi
from rib.loc_rib import LocRib
from rib.next_hop import AnyNextHop, ConnectedNetworks, Resolver
from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set, accept, reject
from rib.prefix import Prefix
from rib.route import Change, Path, Route, Source, SourceKind
from rib.trie import Found, NlriTrie, PrefixTrie

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
    "Found",
    "ImportRules",
    "Ineligible",
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
    "Rule",
    "Safi",
    "Segment",
    "SegmentType",
    "Set",
    "Source",
    "SourceKind",
    "Step",
    "UnknownAttribute",
    "Why",
    "accept",
    "best",
    "rank",
    "reject",
]
