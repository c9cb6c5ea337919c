"""The demo: starts the gateway, lets a real client use it, says how to go on, and stops what it started."""

import asyncio
import signal
import sys
from pathlib import Path

import client
import gateway
from names import resolve_localhost, resolved_by_system
from processes import STOP_SIGNALS, NotStarted, Processes
from screen import bold, dim, failed, heading

CALLS = {
    "time": ("get_current_time", {"timezone": "Europe/Vienna"}),
    "everything": ("echo", {"message": "hello through all three layers"}),
}


def innermost(error: BaseException) -> BaseException:
    """Task groups wrap what went wrong; the first cause is what helps."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def ends_with(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def say_how_to_go_on(running: gateway.Gateway) -> None:
    heading("It is yours until Ctrl-C")
    for service in CALLS:
        print(f"  {running.url(service)}")
    print(f"\n  Log in as anyone: the stand-in for GitHub takes any user name, {bold(gateway.USER)} for instance.")
    print("  In Claude Code:")
    print(f"    export NODE_EXTRA_CA_CERTS={running.ca}")
    print(f"    claude mcp add --transport http time {running.url('time')}")
    print(f"  Elsewhere: add the URL, and trust the certificate authority in {running.ca}.")
    if not resolved_by_system("time.localhost"):
        print(dim("  This computer does not resolve *.localhost outside browsers. In /etc/hosts:"))
        names = " ".join(f"{name}.localhost" for name in ("auth", *CALLS))
        print(f"    127.0.0.1 {names}")
    print(f"  Logs: {running.ca.parent.parent / 'logs'}", flush=True)


def run(root: Path, once: bool) -> int:
    logs = root / ".demo" / "logs"
    with Processes(logs) as processes:
        heading("Starting the gateway")
        running = gateway.start(root, processes)
        for service, (tool, arguments) in CALLS.items():
            heading(f"A real MCP client (Python SDK) calls {running.url(service)}")
            try:
                asyncio.run(client.use(running.url(service), running.ca, gateway.USER, tool, arguments))
            except Exception as error:
                why = innermost(error)
                failed(f"{type(why).__name__}: {why}", f"logs: {logs}\n{ends_with(logs / 'auth-server.log')}")
                return 1
        if once:
            print("\n  Both calls went through all three layers.", flush=True)
            return 0
        say_how_to_go_on(running)
        signal.sigwait(STOP_SIGNALS)
        print(f"\n  {dim('stopping')}", flush=True)
    return 0


def main() -> int:
    root = Path(sys.argv[1])
    # These end the demo as Ctrl-C does: with everything stopped.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
    resolve_localhost()
    try:
        return run(root, once="--once" in sys.argv[2:])
    except NotStarted as error:
        failed(str(error), f"{error.log} ends with:\n{ends_with(error.log)}")
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
