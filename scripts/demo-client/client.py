"""A real MCP client: the Python SDK with its own OAuth provider. We only watch what it does, and play the person."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from person import Person
from screen import Steps

REDIRECT_URI = "http://127.0.0.1:33418/callback"

# Told of each thing that happened: what it was, and what came of it.
Done = Callable[[str, str], None]


class Memory(TokenStorage):
    """Forgets everything at the end."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def watch(done: Done):
    """Called with each answer the SDK gets; says what it means."""

    async def seen(response: httpx2.Response) -> None:
        path, host = response.url.path, response.url.host
        if response.status_code == 401:
            done("request without a token", "401, and where to learn more")
        elif path.startswith("/.well-known/oauth-protected-resource") and response.is_success:
            done("who guards this server?", f"{host}{path}")
        elif path.startswith("/.well-known/oauth-authorization-server") and response.is_success:
            done("how does one log in there?", f"{host}{path}")
        elif path == "/register" and response.is_success:
            done("registration (RFC 7591)", "a client of its own")
        elif path == "/token" and response.is_success:
            done("code for token (PKCE)", "signed, for this server only")

    return seen


def provider(url: str, person: Person) -> OAuthClientProvider:
    arrived: dict[str, str] = {}

    async def send_person(authorization_url: str) -> None:
        arrived.update(await person.log_in(authorization_url))

    async def callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=arrived["code"], state=arrived.get("state"), iss=arrived.get("iss"))

    metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[REDIRECT_URI])
    return OAuthClientProvider(url, metadata, Memory(), send_person, callback)


@asynccontextmanager
async def connected(url: str, ca: Path, user: str, done: Done) -> AsyncIterator[Client]:
    """An MCP session with the server at `url`, for `user`, who has logged in on the way."""
    trust = ssl.create_default_context(cafile=ca)
    async with httpx2.AsyncClient(verify=trust, timeout=30) as browser:
        auth = provider(url, Person(browser, user, REDIRECT_URI, done))
        hooks = {"response": [watch(done)]}
        async with httpx2.AsyncClient(verify=trust, timeout=30, auth=auth, event_hooks=hooks) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                yield client


async def use(url: str, ca: Path, user: str, tool: str, arguments: dict) -> None:
    """Connects to the MCP server at `url` and calls one tool."""
    steps = Steps()
    async with connected(url, ca, user, steps.done) as client:
        steps.done("MCP session", f"{urlsplit(url).netloc} answers")
        names = [tool.name for tool in (await client.list_tools()).tools]
        steps.done("tools/list", ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""))
        answer = await client.call_tool(tool, arguments)
        if answer.is_error:
            raise RuntimeError(f"{tool} failed: {answer.content}")
        steps.done(f"tools/call {tool}", " ".join(answer.content[0].text.split())[:70])
