"""The Python SDK's own OAuth provider and client, from 401 to a tool's answer."""

import asyncio
import json
import os
import socket
import ssl

import httpx2
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from person import log_in

REDIRECT_URI = "http://127.0.0.1:33418/client/callback"

_resolve = socket.getaddrinfo


def loopback(host, *args, **kwargs):
    """`*.localhost` is this computer (RFC 6761 §6.3), which Debian's getaddrinfo does not know."""
    name = host.decode() if isinstance(host, bytes) else host or ""
    return _resolve("127.0.0.1" if name.endswith(".localhost") else host, *args, **kwargs)


class Memory(TokenStorage):
    """Forgets everything at the end."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def provider(url: str, browser: httpx2.AsyncClient, user: str) -> OAuthClientProvider:
    arrived: dict[str, str] = {}

    async def send_person(authorization_url: str) -> None:
        arrived.update(await log_in(browser, authorization_url, REDIRECT_URI, user))

    async def callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=arrived["code"], state=arrived.get("state"), iss=arrived.get("iss"))

    metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[REDIRECT_URI])
    return OAuthClientProvider(url, metadata, Memory(), send_person, callback)


async def main() -> None:
    url, user = os.environ["GATEWAY_URL"], os.environ["GATEWAY_USER"]
    trust = ssl.create_default_context(cafile=os.environ["GATEWAY_CA"])
    async with httpx2.AsyncClient(verify=trust, timeout=30) as browser:
        auth = provider(url, browser, user)
        async with httpx2.AsyncClient(verify=trust, timeout=30, auth=auth) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                tools = await client.list_tools()
                answer = await client.call_tool("echo", json.loads(os.environ["GATEWAY_ARGUMENTS"]))
    print(json.dumps({"tools": [tool.name for tool in tools.tools], "answer": answer.content[0].text}))


if __name__ == "__main__":
    socket.getaddrinfo = loopback
    asyncio.run(main())
