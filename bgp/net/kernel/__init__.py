"""Routes in the kernel: what it has, what next hops it reaches, and the Loc-RIB programmed into it.

`NetlinkKernel`, the real one, is in `bgp.net.kernel.netlink`: it needs pyroute2 (`pip install trio-bgp[kernel]`).
"""

from bgp.net.kernel.fib import Fib, FibCounts, Missing
from bgp.net.kernel.memory import MemoryKernel
from bgp.net.kernel.model import BLACKHOLE, Hop, Kernel, KernelOptions, KernelRoute, Link, Way
from bgp.net.kernel.resolver import KernelResolver
from bgp.net.kernel.serve import open_kernel, serve_kernel

__all__ = [
    "BLACKHOLE",
    "Fib",
    "FibCounts",
    "Hop",
    "Kernel",
    "KernelOptions",
    "KernelResolver",
    "KernelRoute",
    "Link",
    "MemoryKernel",
    "Missing",
    "Way",
    "open_kernel",
    "serve_kernel",
]
