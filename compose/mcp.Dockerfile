# An unmodified stdio MCP server with the sidecar in front. Built from the project's root, once per service:
#   target   python | node | tmux | browser | plain (a Python server that speaks HTTP itself)
#   PACKAGE  what pip or npm installs; the compose file names the command
#   ALSO     for pip: older releases of what PACKAGE builds on, where it does not work with the newest
# Needs BuildKit, which builds only the stages that a target rests on: DOCKER_BUILDKIT=1 before Docker 23.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools \
 && rustup target add "$(uname -m)-unknown-linux-musl"
COPY . .
RUN scripts/build-static

# The sidecar runs in any image: copy it from here into your own.
FROM scratch AS sidecar
COPY --from=build /src/target/static/mcp-sidecar /usr/local/bin/mcp-sidecar

FROM python:3.12-slim-bookworm AS plain
ARG PACKAGE
ARG ALSO=
RUN useradd --uid 1000 --create-home mcp && install -d -o mcp /app /logs
RUN pip install --no-cache-dir "$PACKAGE" $ALSO
COPY compose/mcp-ok /usr/local/bin/
USER mcp
WORKDIR /app
EXPOSE 3000

FROM plain AS python
COPY --from=sidecar /usr/local/bin/mcp-sidecar /usr/local/bin/
# The name that existing command lines use.
USER root
RUN ln -s mcp-sidecar /usr/local/bin/mcp-streamablehttp-proxy
USER mcp
ENV MCP_BIND_HOST=0.0.0.0 PORT=3000

FROM node:22-bookworm-slim AS node
ARG PACKAGE
RUN install -d -o node /app /logs /data
RUN npm install --global --omit=dev "$PACKAGE" && npm cache clean --force
COPY --from=sidecar /usr/local/bin/mcp-sidecar /usr/local/bin/
RUN ln -s mcp-sidecar /usr/local/bin/mcp-streamablehttp-proxy
USER node
WORKDIR /app
ENV MCP_BIND_HOST=0.0.0.0 PORT=3000
EXPOSE 3000

FROM node AS tmux
USER root
RUN apt-get update && apt-get install -y --no-install-recommends tmux && rm -rf /var/lib/apt/lists/*
USER node

FROM node AS browser
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium fonts-liberation fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/*
USER node
