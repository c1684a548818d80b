"""RIBs."""
