"""/readyz and /livez over HTTP, as a kubelet asks for them: ready or not, and if not, why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bgp.app.node.blocks import Wanted
from bgp.net import Speaker
from bgp.net.kernel import Fib
from fsm.words import State
from rib.prefix import nlri_text

#: Reasons of one kind that are listed one by one.
LISTED: Final = 10


def why_not_ready(speaker: Speaker, fib: Fib | None, wanted: Wanted) -> list[str]:
    """What is missing until pods of this node reach all others; nothing: it is ready."""
    found = list(wanted.problems)
    if not wanted.blocks:
        found.append("this node has no block of pod addresses yet")
    for peer in speaker.peers.values():
        if peer.state is not State.ESTABLISHED:
            why = peer.connect_error or peer.why_down
            found.append(f"the session with {peer.options.label} is {peer.state.title}: {why or 'it has just begun'}")
    if speaker.loc_rib.held:
        found.append("routes are not selected yet: peers are still saying what they know (RFC 4724 4.1)")
    if fib is not None:
        missing = fib.why_missing()
        found += [
            f"the kernel has no route to {nlri_text(one.afi, one.nlri)}: {one.reason}" for one in missing[:LISTED]
        ]
        if len(missing) > LISTED:
            found.append(f"the kernel lacks {len(missing) - LISTED} more routes")
    return found


def ready_routes(reasons: Callable[[], list[str]]) -> Sequence[BaseRoute]:
    """What a kubelet asks; `reasons` says why not."""

    async def readyz(_: Request) -> Response:
        found = reasons()
        return JSONResponse({"ready": not found, "reasons": found}, status_code=503 if found else 200)

    async def livez(_: Request) -> Response:
        return JSONResponse({"live": True})

    return [Route("/readyz", readyz), Route("/livez", livez)]
