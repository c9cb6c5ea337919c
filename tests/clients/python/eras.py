"""A Python client as a user of the scripted fixture, with sessions or without: everything that differs between the two.

`eras.py mcp|fastmcp JSON`, the JSON being `{"url", "mode": "legacy" | "auto", "token"?}`. Prints one line of JSON.
"""

import asyncio
import json
import os
import ssl
import sys
from contextlib import asynccontextmanager

import httpx2
import mcp_types as types
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import listen

PATIENCE = 60  # seconds for something that is to come by itself
ANSWER = {"answer": "Ada Lovelace"}
ROUTE = {"region": "eu", "priority": 7, "dryRun": True, "text": "grüß Gott"}


class Person:
    """Answers what the server asks, and hears what it says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.changed = asyncio.Event()

    async def elicit(self, _context, params) -> types.ElicitResult:
        self.asked.append(params.message)
        return types.ElicitResult(action="accept", content=ANSWER)

    async def elicit_fastmcp(self, message, _response_type, _params, _context):
        self.asked.append(message)
        return ANSWER

    async def hear(self, message) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed.set()


def client_of(which: str, plan: dict, person: Person):
    """The client, and how it is told to report progress."""
    options = {"mode": plan["mode"], "message_handler": person.hear}
    if which == "fastmcp":
        from fastmcp import Client

        client = Client(plan["url"], auth=plan.get("token"), elicitation_handler=person.elicit_fastmcp, **options)
        return client, "progress_handler"
    from mcp.client.client import Client

    trust = ssl.create_default_context(cafile=os.environ.get("GATEWAY_CA"))
    headers = {"Authorization": f"Bearer {plan['token']}"} if "token" in plan else {}
    http = httpx2.AsyncClient(verify=trust, headers=headers, timeout=PATIENCE)
    transport = streamable_http_client(plan["url"], http_client=http)
    return Client(transport, elicitation_callback=person.elicit, **options), "progress_callback"


@asynccontextmanager
async def listening(client, person: Person):
    """Something that waits for a changed list of tools: by a subscription, or on the session's own stream."""
    if client.session.protocol_version < "2026-07-28":
        yield person.changed.wait
        return
    async with listen(client.session, tools_list_changed=True) as subscription:
        yield subscription.__anext__


async def use(which: str, plan: dict) -> dict:
    person = Person()
    client, progress_option = client_of(which, plan, person)
    progress: list[float] = []
    started = asyncio.Event()

    async def on_progress(done: float, _total: float | None, _message: str | None) -> None:
        progress.append(done)

    async def on_start(_done: float, _total: float | None, _message: str | None) -> None:
        started.set()

    async with client:

        async def call(tool: str, arguments: dict | None = None, **options) -> str:
            return (await client.call_tool(tool, arguments or {}, **options)).content[0].text

        listed = await client.list_tools()
        tools = [tool.name for tool in getattr(listed, "tools", listed)]
        echo = await call("echo", {"text": "grüß Gott"})
        await call("progress", {"steps": 3}, **{progress_option: on_progress})
        route = json.loads(await call("route", ROUTE))
        answer = json.loads(await call("elicit", {"text": "who?", "steps": 2}))
        async with listening(client, person) as changed:
            await call("list_changed")
            await changed()
        while await call("listeners") != "0":
            await asyncio.sleep(0.05)
        before = await call("cancelled")
        endless = asyncio.create_task(call("progress", {"steps": 10**6, "ms": 20}, **{progress_option: on_start}))
        await started.wait()
        endless.cancel()
        while await call("cancelled") == before:
            await asyncio.sleep(0.05)
        return {
            "protocol": client.session.protocol_version,
            "tools": tools,
            "echo": echo,
            "progress": progress,
            "route": route,
            "answer": answer,
            "asked": person.asked,
            "cancelled": True,
        }


async def main() -> None:
    async with asyncio.timeout(PATIENCE):
        print(json.dumps(await use(sys.argv[1], json.loads(sys.argv[2]))))


if __name__ == "__main__":
    asyncio.run(main())
