"""The Python SDK's own OAuth provider and client, from 401 to a tool's answer: the demo's client, without its words."""

import asyncio
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "demo-client"))

from client import connected  # noqa: E402
from names import resolve_localhost  # noqa: E402


def quiet(_what: str, _result: str) -> None:
    """Nobody watches."""


async def main() -> None:
    url, user, ca = os.environ["GATEWAY_URL"], os.environ["GATEWAY_USER"], Path(os.environ["GATEWAY_CA"])
    async with connected(url, ca, user, quiet) as client:
        tools = await client.list_tools()
        answer = await client.call_tool("echo", json.loads(os.environ["GATEWAY_ARGUMENTS"]))
    print(json.dumps({"tools": [tool.name for tool in tools.tools], "answer": answer.content[0].text}))


if __name__ == "__main__":
    resolve_localhost()
    asyncio.run(main())
