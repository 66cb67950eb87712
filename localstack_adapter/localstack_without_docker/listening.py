"""Bind LocalStack only to the host of `GATEWAY_LISTEN`.

LocalStack's web server uses the port of `GATEWAY_LISTEN` but ignores the host. That is harmless in a container. As a
process, anyone with access to this machine's network could run functions on it.
"""

from functools import partial

from localstack.config import GATEWAY_LISTEN  # type: ignore[import-not-found]
from localstack.runtime import hooks  # type: ignore[import-not-found]


@hooks.on_runtime_create()  # type: ignore[untyped-decorator]
def listen_on_configured_host() -> None:
    """Restrict the server's endpoint; LocalStack calls this before it has a server."""
    from localstack.runtime.server import twisted  # type: ignore[import-not-found] # noqa: PLC0415 - starts a reactor

    host = GATEWAY_LISTEN[0].host
    twisted.endpoints.TCP4ServerEndpoint = partial(twisted.endpoints.TCP4ServerEndpoint, interface=host)
