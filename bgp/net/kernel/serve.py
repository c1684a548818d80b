"""A speaker with the kernel under it: next hops by the kernel's routes, the best routes in its table."""

from __future__ import annotations

from importlib import import_module

import trio

from bgp.error import MissingPackage
from bgp.net.kernel.fib import Fib
from bgp.net.kernel.model import Kernel, KernelOptions
from bgp.net.peer import Peer
from bgp.net.speaker import Speaker


def open_kernel(options: KernelOptions) -> Kernel:
    """The kernel of this machine. Raises MissingPackage without pyroute2, OSError without Linux.

    pyroute2 takes a tenth of a second to import, which only those should wait for who program a kernel.
    """
    try:
        netlink = import_module("bgp.net.kernel.netlink")
    except ImportError as error:
        raise MissingPackage("programming the kernel", "pyroute2", "kernel") from error
    made: Kernel = netlink.NetlinkKernel(options)
    return made


async def serve_kernel(
    speaker: Speaker,
    options: KernelOptions,
    kernel: Kernel | None = None,
    *,
    task_status: trio.TaskStatus[Fib] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Keep `kernel` (None: that of this machine) like the speaker's Loc-RIB until cancelled; a task that starts with a `Fib`.

    To be started before peers are added, which then judge next hops by the kernel's routes. Routes of a former run are
    adopted, and taken away if they are not wanted once the speaker has selected its routes after a restart (RFC 4724 4.1);
    after `stale_time` where that does not tell, for want of End-of-RIBs. Raises what `open_kernel` does.
    """
    found = open_kernel(options) if kernel is None else kernel
    fib = Fib(speaker.loc_rib, found, options, next_hops_changed=speaker.next_hops_changed)
    speaker.resolver = fib.resolver
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(fib.run)
            nursery.start_soon(_sweep, speaker, fib, options.stale_time)
            task_status.started(fib)
    finally:
        found.close()


async def _sweep(speaker: Speaker, fib: Fib, stale_time: float) -> None:
    await speaker.wait_selected()
    with trio.move_on_after(stale_time):
        if not speaker.options.restarting or not all(map(_says_end_of_rib, speaker.peers.values())):
            await trio.sleep_forever()
        # Selection does not wait for peers that restart as well, so that nobody waits for anybody; packets do.
        for peer in tuple(speaker.peers.values()):
            await peer.saying.wait_over()
    await fib.wait_idle()
    fib.sweep()


def _says_end_of_rib(peer: Peer) -> bool:
    """Whether a peer says when it is done: one that is up and knows no graceful restart may still be saying what it knows."""
    negotiated = peer.negotiated
    return negotiated is None or negotiated.graceful_restart is not None
