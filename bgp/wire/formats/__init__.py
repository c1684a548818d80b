"""File formats that carry BGP messages."""
