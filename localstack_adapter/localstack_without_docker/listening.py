"""Where LocalStack listens: at the address that it is told, and at no other.

LocalStack's web server takes the port of `GATEWAY_LISTEN` and leaves out the host. In a container that does no harm;
as a process, whoever reaches this machine could run functions on it.
"""

from functools import partial

from localstack.config import GATEWAY_LISTEN  # type: ignore[import-not-found]
from localstack.runtime import hooks  # type: ignore[import-not-found]


@hooks.on_runtime_create()  # type: ignore[untyped-decorator]
def listen_where_told() -> None:
    """Called by LocalStack before it has a server."""
    from localstack.runtime.server import twisted  # type: ignore[import-not-found] # noqa: PLC0415 - starts a reactor

    host = GATEWAY_LISTEN[0].host
    twisted.endpoints.TCP4ServerEndpoint = partial(twisted.endpoints.TCP4ServerEndpoint, interface=host)
