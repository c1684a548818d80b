"""`bgp node`: what runs on a cluster's node. It announces the node's pods, learns the others', and programs the kernel."""
