"""A signing key for the Python original, and an access token that it issued itself: `KEY_B64 TOKEN` on stdout.

Runs in the original's own environment with its own variables; the token's record lands in its Redis.
"""

import asyncio
import base64
import os

import redis.asyncio as redis
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from mcp_oauth_dynamicclient.auth_authlib import AuthManager
from mcp_oauth_dynamicclient.config import Settings

CLAIMS = {
    "sub": "1",
    "username": "octocat",
    "email": "octocat@example.com",
    "name": "Octocat",
    "scope": "openid profile email",
    "client_id": "client_bench",
}


def signing_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return base64.b64encode(pem).decode()


async def main() -> None:
    os.environ["JWT_PRIVATE_KEY_B64"] = signing_key()
    settings = Settings()
    store = redis.from_url(settings.redis_url, decode_responses=True)
    token = await AuthManager(settings).create_jwt_token(CLAIMS, store)
    await store.aclose()
    print(os.environ["JWT_PRIVATE_KEY_B64"], token)


asyncio.run(main())
