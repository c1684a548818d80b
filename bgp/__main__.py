"""`python -m bgp` and the `bgp` script."""

from bgp.app.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
