"""The Python SDK as a user of one server: does the steps of a plan and says what came of each.

`use.py PLAN`, JSON: `{"url", "token"?, "roots": [], "steps": [{"tool", "arguments", "until"?} | {"prompt", "arguments"} |
{"read": uri} | {"subscribe": uri} | {"updated": uri}]}`. Prints one line of JSON. Leaves with DELETE, as the SDK does.
A URL that ends with `/sse` is used by the transport of 2024-11-05.
"""

import asyncio
import json
import os
import ssl
import sys
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "demo-client"))

import httpx2  # noqa: E402
import mcp_types as types  # noqa: E402
from mcp.client.client import Client  # noqa: E402
from mcp.client.sse import sse_client  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from names import resolve_localhost  # noqa: E402

PATIENCE = 60  # seconds for something that is to come by itself


class Person:
    """Answers what servers ask, and remembers what they say."""

    def __init__(self, roots: list[str]) -> None:
        self.roots = roots
        self.asked: list[str] = []
        self.progress: list[float] = []
        self.updated: list[str] = []
        self.news = asyncio.Event()

    async def sample(self, _context, _params) -> types.CreateMessageResult:
        self.asked.append("sampling")
        content = types.TextContent(type="text", text="a sampled answer")
        return types.CreateMessageResult(role="assistant", content=content, model="nobody", stop_reason="endTurn")

    async def elicit(self, _context, _params) -> types.ElicitResult:
        self.asked.append("elicitation")
        return types.ElicitResult(action="accept", content={"name": "Ada Lovelace"})

    async def list_roots(self, _context) -> types.ListRootsResult:
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri=root, name="workspace") for root in self.roots])

    async def on_message(self, message) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            self.updated.append(str(message.params.uri))
            self.news.set()

    async def on_progress(self, progress: float, _total: float | None, _message: str | None) -> None:
        self.progress.append(progress)

    async def wait_for_update(self, uri: str) -> str:
        while uri not in self.updated:
            self.news.clear()
            await self.news.wait()
        return uri


def text_of(contents) -> str:
    return "\n".join(getattr(content, "text", type(content).__name__) for content in contents)


async def call(client: Client, person: Person, step: dict) -> str:
    """Once, or until its answer contains what is waited for."""
    while True:
        result = await client.call_tool(step["tool"], step["arguments"], progress_callback=person.on_progress)
        text = text_of(result.content)
        if step.get("until", "") in text:
            return text
        await asyncio.sleep(0.1)


async def carry_out(client: Client, person: Person, step: dict) -> str:
    match step:
        case {"tool": _}:
            return await call(client, person, step)
        case {"prompt": name, "arguments": arguments}:
            return text_of(message.content for message in (await client.get_prompt(name, arguments)).messages)
        case {"read": uri}:
            return text_of((await client.read_resource(uri)).contents)
        case {"subscribe": uri}:
            await client.session.subscribe_resource(uri)
            return uri
        case {"updated": uri}:
            return await person.wait_for_update(uri)
    raise ValueError(f"no such step: {step}")


async def listed(client: Client) -> dict:
    """Names of everything that the server declares."""
    declares, everything = client.server_capabilities, {"tools": [], "prompts": [], "resources": [], "templates": []}
    if declares.tools:
        everything["tools"] = [tool.name for tool in (await client.list_tools()).tools]
    if declares.prompts:
        everything["prompts"] = [prompt.name for prompt in (await client.list_prompts()).prompts]
    if declares.resources:
        everything["resources"] = [str(one.uri) for one in (await client.list_resources()).resources]
        templates = (await client.list_resource_templates()).resource_templates
        everything["templates"] = [template.uri_template for template in templates]
    return everything


async def use(plan: dict) -> dict:
    person = Person(plan["roots"])
    async with AsyncExitStack() as stack:
        trust = ssl.create_default_context(cafile=os.environ.get("GATEWAY_CA"))
        headers = {"Authorization": f"Bearer {plan['token']}"} if "token" in plan else {}
        http = await stack.enter_async_context(httpx2.AsyncClient(verify=trust, headers=headers, timeout=60))
        legacy = plan["url"].endswith("/sse")
        client = Client(
            sse_client(plan["url"]) if legacy else streamable_http_client(plan["url"], http_client=http),
            sampling_callback=person.sample,
            elicitation_callback=person.elicit,
            list_roots_callback=person.list_roots,
            message_handler=person.on_message,
        )
        await stack.enter_async_context(client)
        everything = await listed(client)
        answers = []
        for step in plan["steps"]:
            async with asyncio.timeout(PATIENCE):
                answers.append(await carry_out(client, person, step))
        server = client.server_info
        return {
            "name": server.name,
            "version": server.version,
            "protocol": client.protocol_version,
            **everything,
            "answers": answers,
            "asked": person.asked,
            "progress": person.progress,
        }


if __name__ == "__main__":
    resolve_localhost()
    print(json.dumps(asyncio.run(use(json.loads(sys.argv[1])))))
