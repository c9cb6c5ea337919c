"""`*.localhost` is this computer (RFC 6761 §6.3), which Debian's getaddrinfo does not know."""

import socket

_resolve = socket.getaddrinfo


def _is_localhost(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host or ""
    return name == "localhost" or name.endswith(".localhost")


def _loopback(host, *args, **kwargs):
    return _resolve("127.0.0.1" if _is_localhost(host) else host, *args, **kwargs)


def resolve_localhost() -> None:
    """From here on, in this process, every `*.localhost` name is 127.0.0.1."""
    socket.getaddrinfo = _loopback


def resolved_by_system(host: str) -> bool:
    """Whether other programs on this computer find `host`."""
    try:
        return bool(_resolve(host, 443))
    except OSError:
        return False
