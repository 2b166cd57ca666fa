"""Whether a service on this machine is ready: `python -m luodi.serving.probe 8000`.

The health check of an image is written when it is built, and whether the service speaks TLS is
said when it is started: so both are tried. Its certificate names the host that others know it by,
and not the loopback address; what answers there is the container's own: nothing is verified.
"""

from __future__ import annotations

import http.client
import ssl
import sys

from luodi.contracts import say

_HOST, _PATH = "127.0.0.1", "/v2/health/ready"
_SECONDS = 1.0
"""Of each try: both together end before Docker's own clock does."""


def ready(port: int) -> bool:
    """Whether the service on this port of the loopback address is ready, over HTTP or TLS."""
    plain = http.client.HTTPConnection(_HOST, port, timeout=_SECONDS)
    if _answers(plain):
        return True
    trusting = ssl._create_unverified_context()  # noqa: S323 - see above
    return _answers(http.client.HTTPSConnection(_HOST, port, timeout=_SECONDS, context=trusting))


def _answers(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", _PATH)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):  # refused, too slow, or the other protocol
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    asked = int(sys.argv[1])
    if not ready(asked):
        sys.exit(say(f"Nothing is ready on port {asked}.", f"端口 {asked} 上没有就绪的服务。"))
