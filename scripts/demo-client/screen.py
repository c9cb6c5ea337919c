"""What the person sees: one line per thing that happened, and how long it took."""

import os
import sys
import time

_COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _COLOURS else text


def bold(text: str) -> str:
    return _paint("1", text)


def dim(text: str) -> str:
    return _paint("2", text)


def heading(text: str) -> None:
    print(f"\n{bold(text)}", flush=True)


def failed(what: str, why: str = "") -> None:
    print(f"\n  {_paint('31', '✗ ' + what)}", file=sys.stderr)
    for line in why.splitlines():
        print(f"    {line}", file=sys.stderr)
    sys.stderr.flush()


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Steps:
    """Prints each step with the time since the one before it."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def done(self, what: str, result: str = "") -> None:
        now = time.monotonic()
        took, self._last = now - self._last, now
        print(f"  {_paint('32', '✓')} {what:<34} {result} {dim(duration(took))}", flush=True)
