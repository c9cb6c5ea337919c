"""The Python SDK as a client that need not register: by its own document, or made by the operator, with nobody there.

`known.py key FOLDER` makes such a client's key; `known.py client JSON` connects as the client that the JSON describes.
"""

import asyncio
import json
import os
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts" / "demo-client"))

import httpx2  # noqa: E402
from client import REDIRECT_URI, Memory, provider  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from jwt.algorithms import ECAlgorithm  # noqa: E402
from mcp.client.auth.extensions.client_credentials import (  # noqa: E402
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.client import Client  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from names import resolve_localhost  # noqa: E402
from person import Person  # noqa: E402


def make_key(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}))


def quiet(_what: str, _result: str) -> None:
    """Nobody watches."""


def authority(known: dict, url: str, browser: httpx2.AsyncClient):
    """The SDK's own provider for this kind of client."""
    if "document" in known:
        auth = provider(url, Person(browser, os.environ["GATEWAY_USER"], REDIRECT_URI, quiet))
        auth.context.client_metadata_url = known["document"]
        return auth
    if "secret" in known:
        return ClientCredentialsOAuthProvider(
            url, Memory(), known["client_id"], known["secret"], issuer=known["issuer"]
        )
    signed = SignedJWTParameters(
        issuer=known["client_id"],
        subject=known["client_id"],
        signing_key=Path(known["key"]).read_text(),
        signing_algorithm="ES256",
    )
    return PrivateKeyJWTOAuthProvider(
        url, Memory(), known["client_id"], signed.create_assertion_provider(), issuer=known["issuer"]
    )


async def connect(known: dict) -> None:
    url, trust = os.environ["GATEWAY_URL"], ssl.create_default_context(cafile=os.environ["GATEWAY_CA"])
    async with httpx2.AsyncClient(verify=trust, timeout=30) as browser:
        auth = authority(known, url, browser)
        async with httpx2.AsyncClient(verify=trust, timeout=30, auth=auth) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                tools = await client.list_tools()
                answer = await client.call_tool("echo", json.loads(os.environ["GATEWAY_ARGUMENTS"]))
    used = auth.context.client_info.client_id
    print(json.dumps({"tools": [t.name for t in tools.tools], "answer": answer.content[0].text, "client_id": used}))


if __name__ == "__main__":
    what, argument = sys.argv[1:]
    if what == "key":
        make_key(Path(argument))
    else:
        resolve_localhost()
        asyncio.run(connect(json.loads(argument)))
