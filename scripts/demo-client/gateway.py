"""The whole gateway, started program by program: each waits until the one before it answers."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx2

from processes import Processes, choose_port
from screen import Steps

USER = "octocat"
SERVERS = {"time": "mcp-server-time", "everything": "@modelcontextprotocol/server-everything"}


@dataclass
class Gateway:
    """Where the running gateway is."""

    port: int
    github: str
    ca: Path

    def url(self, service: str) -> str:
        return f"https://{service}.localhost:{self.port}/mcp"


def start(root: Path, processes: Processes) -> Gateway:
    steps = Steps()
    demo, programs, tools = root / ".demo", root / "target" / "debug", root / ".tools"
    https, http = choose_port("HTTPS_PORT", 8443), choose_port("HTTP_PORT", 8080)
    domain = f"localhost:{https}"

    callback = f"https://auth.{domain}/callback"
    standin = [programs / "github-standin", "--port", choose_port("GITHUB_PORT", 8081), "--callback", callback]
    github = f"http://{processes.start('github', standin).address()}"
    steps.done("a stand-in for GitHub", github)

    settings = {
        "BASE_DOMAIN": domain,
        "GITHUB_CLIENT_ID": "standin-client",
        "GITHUB_CLIENT_SECRET": "standin-secret",
        "GITHUB_BASE_URL": github,
        "GITHUB_API_URL": github,
        "ALLOWED_GITHUB_USERS": "*",
        "MCP_CORS_ORIGINS": "*",
        "MCP_SERVICES": ",".join(SERVERS),
        "DATA_DIR": str(demo / "data"),
        # Whatever an .env in this folder says of production is not for the demo.
        "REDIS_URL": "",
        "LOG_FILE": "",
    }
    auth = f"http://{processes.start('auth-server', [programs / 'auth-server', '--port', 0], settings).address()}"
    steps.done("auth-server, embedded store", auth)

    commands = {
        "time": [tools / "venv/bin/python", "-m", "mcp_server_time"],
        "everything": [tools / "node/bin/node", everything(tools), "stdio"],
    }
    services = []
    for name, command in commands.items():
        sidecar = [programs / "mcp-sidecar", "--port", 0, "--require-user", "--", *command]
        address = processes.start(f"mcp-{name}", sidecar, {"BASE_DOMAIN": domain, "MCP_CORS_ORIGINS": "*", "LOG_FILE": ""}).address()
        services.append(f"{name}=http://{address}")
        steps.done(f"mcp-sidecar for {name}", SERVERS[name])

    edge = {
        "HTTPS_PORT": str(https),
        "HTTP_PORT": str(http),
        "TLS_CERT": str(demo / "tls/cert.pem"),
        "TLS_KEY": str(demo / "tls/key.pem"),
        "BASE_DOMAIN": domain,
        "AUTH_URL": auth,
        "MCP_SERVICES": ",".join(services),
    }
    traefik = processes.start("traefik", [root / "scripts/traefik-run"], edge)
    ca = demo / "tls/ca.pem"
    traefik.until(lambda: answers(f"https://auth.{domain}/health", ca), "did not lead to auth-server")
    steps.done("Traefik with TLS", f"https://*.{domain}")
    return Gateway(https, github, ca)


def answers(url: str, ca: Path) -> bool:
    """Whether the whole way to `url` is there: port, certificate, route and what is behind it."""
    try:
        return httpx2.get(url, verify=ssl.create_default_context(cafile=ca)).is_success
    except httpx2.TransportError:
        return False


def everything(tools: Path) -> Path:
    return tools / "npm/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
