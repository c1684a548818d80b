"""The fabric of real kernels: a network namespace and a process for every node, cables between them, pods in them.

from bgp.lab.netns.fabric import open_netns_fabric
"""
