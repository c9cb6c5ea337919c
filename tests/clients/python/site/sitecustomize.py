"""For PYTHONPATH: a Python program, itself unchanged, finds `*.localhost` (RFC 6761 §6.3), unlike Debian's getaddrinfo."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[4] / "scripts" / "demo-client"))

from names import resolve_localhost  # noqa: E402

resolve_localhost()
