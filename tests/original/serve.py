"""The Python service (mcp-oauth-dynamicclient), unchanged but for one thing: GitHub is where GITHUB_BASE_URL says.

It has github.com written into it; here every such URL leads to the stand-in. Arguments are those of its own command.
"""

import os

import httpx
from mcp_oauth_dynamicclient import cli, routes

STANDIN = os.environ["GITHUB_BASE_URL"]
build_request = httpx.AsyncClient.build_request


def elsewhere(url: str) -> str:
    for host in ("https://github.com/", "https://api.github.com/"):
        if url.startswith(host):
            return f"{STANDIN}/{url.removeprefix(host)}"
    return url


class Redirect(routes.RedirectResponse):
    def __init__(self, url, **options):
        super().__init__(elsewhere(str(url)), **options)


routes.RedirectResponse = Redirect
httpx.AsyncClient.build_request = lambda self, method, url, **options: build_request(
    self, method, elsewhere(str(url)), **options
)

if __name__ == "__main__":
    cli.main()
