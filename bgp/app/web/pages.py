"""The pages of a running speaker and the same as JSON: who its neighbours are, why one is down, how a route was chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import wraps
from ipaddress import ip_address
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bgp.app.answers import Failed, Program, find_peers
from bgp.app.routes import Decision, decisions, lookup
from bgp.app.view import PeerView, summarize, view_kernel, view_peer, view_peers, view_summary
from bgp.app.web.metrics import Snapshot, exposition
from rib.prefix import Prefix

Handler = Callable[[Request], Awaitable[Response]]

#: A browser asks again after so many seconds.
REFRESH: Final = 10
#: Pages show what a neighbour says of itself: nothing of it is markup, and nothing else may run there.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"


def duration(seconds: float) -> str:
    """ "4 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    whole = int(seconds)
    for size, unit, smaller, rest in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {rest}"
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"


_PAGES: Final = Environment(
    loader=PackageLoader("bgp.app.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["duration"] = duration


def web_routes(program: Program) -> Sequence[BaseRoute]:
    """What the web server of a running speaker serves."""
    site = Site(program)
    return [
        Route("/", _answered(site.home, _failed_page)),
        Route("/neighbor/{peer:path}", _answered(site.neighbor, _failed_page)),
        Route("/route", _answered(site.route, _failed_page)),
        Route("/api/summary", _answered(site.summary_json, _failed_json)),
        Route("/api/neighbors", _answered(site.neighbors_json, _failed_json)),
        Route("/api/route", _answered(site.route_json, _failed_json)),
        Route("/metrics", site.metrics),
    ]


def _answered(handler: Handler, failed: Callable[[str, int], Response]) -> Handler:
    """The handler, and what `failed` makes of a reason and a status where there is no answer."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Failed as error:
            return failed(str(error), 404)
        except ValueError as error:
            return failed(str(error), 400)

    return answer


def _failed_page(reason: str, status: int) -> Response:
    return _html("failed.html", status, reason=reason)


def _failed_json(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status)


def _html(name: str, status: int = 200, **words: object) -> Response:
    headers: Mapping[str, str] = {"Content-Security-Policy": POLICY}
    return HTMLResponse(_PAGES.get_template(name).render(seconds=REFRESH, **words), status, headers)


class Site:
    """The pages of one running program; a method for each, which raises what `answer` makes a status of."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def _snapshot(self) -> Snapshot:
        program = self._program
        peers = await view_peers(program.speaker)
        summary = summarize(program.speaker, program.started, peers)
        return Snapshot(summary, peers, None if program.fib is None else view_kernel(program.fib))

    async def _peer(self, wanted: str) -> PeerView:
        (found,) = find_peers(self._program.speaker, wanted)
        return await view_peer(self._program.speaker, found)

    def _decisions(self, request: Request) -> list[Decision]:
        wanted, speaker = request.query_params.get("to", "").strip(), self._program.speaker
        found = decisions(speaker, Prefix(wanted)) if "/" in wanted else lookup(speaker, ip_address(wanted))
        if not found:
            raise Failed(f"no route to {wanted}")
        return found

    async def home(self, request: Request) -> Response:
        """The speaker at a glance."""
        taken = await self._snapshot()
        return _html("home.html", summary=taken.summary, kernel=taken.kernel)

    async def neighbor(self, request: Request) -> Response:
        """One neighbour: above all, why its session is down."""
        return _html("neighbor.html", peer=await self._peer(request.path_params["peer"]))

    async def route(self, request: Request) -> Response:
        """How the best path to a prefix, or to the one that an address is in, was chosen."""
        return _html("route.html", wanted=request.query_params.get("to", ""), decisions=self._decisions(request))

    async def summary_json(self, request: Request) -> Response:
        """What `bgp show summary --json` prints."""
        return JSONResponse(asdict(await view_summary(self._program.speaker, self._program.started)))

    async def neighbors_json(self, request: Request) -> Response:
        """What `bgp show neighbors --json` prints; of one, with `?peer=`."""
        wanted = request.query_params.get("peer")
        speaker = self._program.speaker
        return JSONResponse([asdict(await view_peer(speaker, one)) for one in find_peers(speaker, wanted)])

    async def route_json(self, request: Request) -> Response:
        """What `bgp show route --json` prints, of the prefix or address `?to=`."""
        return JSONResponse([asdict(one) for one in self._decisions(request)])

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        octets, media_type = exposition(await self._snapshot(), request.headers.get("Accept", ""))
        return Response(octets, media_type=media_type)
