"""HTTP on trio."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute


async def serve_http(
    endpoint: str,
    routes: Sequence[BaseRoute],
    complain: Callable[[Exception], None],
    *,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `routes` at "ADDRESS:PORT" until cancelled; starts with the addresses that it listens on.

    `complain` hears of exceptions that a handler should not have raised. Raises OSError where it cannot listen.
    """

    async def failed(_: Request, error: Exception) -> Response:
        complain(error)
        return PlainTextResponse("internal error; the speaker's log has more", status_code=500)

    config = Config()
    config.bind = [endpoint]
    config.errorlog = logging.getLogger("bgp.web")  # it says nothing unless somebody listens to it
    config.include_server_header = False
    app = Starlette(routes=routes, exception_handlers={Exception: failed})
    await serve(app, config, shutdown_trigger=trio.sleep_forever, task_status=task_status)  # type: ignore[arg-type]  # any ASGI app
