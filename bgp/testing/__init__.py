"""What helps to test BGP speakers, ours and others: scripted peers, strategies, a fuzzer."""

from bgp.testing.peer import ScriptedPeer, Unexpected, Watcher

__all__ = ["ScriptedPeer", "Unexpected", "Watcher"]
