"""The person in front of the browser: reads a page's form, allows, types a user name, and ends at the client's door."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2


class Form(HTMLParser):
    """The first form of a page: where it goes, and what is hidden in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = None
        self.fields: dict[str, str] = {}
        self.feed(html)
        if self.action is None:
            raise LookupError(f"no form in: {html}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action") or ""
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"] or ""] = attributes.get("value") or ""


async def log_in(browser: httpx2.AsyncClient, url: str, redirect_uri: str, user: str) -> dict[str, str]:
    """From the authorization URL to the parameters that the client's redirect URI is called with."""
    page = await browser.get(url)
    for typed in ({"decision": "approve"}, {"decision": "approve", "login": user}):
        page = await follow(browser, page, redirect_uri)
        form = Form(page.text)
        page = await browser.post(urljoin(str(page.url), form.action), data=form.fields | typed)
    arrived = await follow(browser, page, redirect_uri)
    return {name: values[0] for name, values in parse_qs(urlsplit(arrived.headers["location"]).query).items()}


async def follow(browser: httpx2.AsyncClient, page: httpx2.Response, redirect_uri: str) -> httpx2.Response:
    """Up to a page, or to the redirect that leads to the client."""
    while page.is_redirect and not page.headers["location"].startswith(redirect_uri):
        page = await browser.get(urljoin(str(page.url), page.headers["location"]))
    if page.is_error:
        raise RuntimeError(f"{page.status_code} at {page.url}: {page.text}")
    return page
