"""The person in front of the browser: reads each page's form, allows, types a user name, and ends at the client's door."""

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2


class Form(HTMLParser):
    """The first form of a page: where it goes, and what is hidden in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(html)
        if self.action is None:
            raise LookupError("the page has no form")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action") or ""
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"] or ""] = attributes.get("value") or ""


class Person:
    """Says yes to the gateway's question, then logs in at GitHub as `user`."""

    def __init__(self, browser: httpx2.AsyncClient, user: str, redirect_uri: str, done: Callable[..., None]) -> None:
        self._browser, self._user, self._redirect_uri, self._done = browser, user, redirect_uri, done

    async def log_in(self, authorization_url: str) -> dict[str, str]:
        """From the authorization URL to the parameters that the client's redirect URI is called with."""
        page = await self._follow(await self._browser.get(authorization_url))
        page = await self._submit(page, {"decision": "approve"})
        self._done("consent page", "«Allow»")
        page = await self._submit(await self._follow(page), {"decision": "approve", "login": self._user})
        arrived = await self._follow(page)
        self._done("login at GitHub (the stand-in)", self._user)
        query = parse_qs(urlsplit(arrived.headers["location"]).query)
        return {name: values[0] for name, values in query.items()}

    async def _submit(self, page: httpx2.Response, typed: dict[str, str]) -> httpx2.Response:
        form = Form(page.text)
        return await self._browser.post(urljoin(str(page.url), form.action), data=form.fields | typed)

    async def _follow(self, page: httpx2.Response) -> httpx2.Response:
        """Up to a page, or to the redirect that leads to the client."""
        while page.is_redirect and not page.headers["location"].startswith(self._redirect_uri):
            page = await self._browser.get(urljoin(str(page.url), page.headers["location"]))
        if page.is_error:
            raise RuntimeError(f"{page.status_code} at {page.url}")
        return page
