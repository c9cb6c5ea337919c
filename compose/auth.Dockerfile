# auth-server. Built from the project's root: scripts/compose build auth
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package auth-server

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home authuser \
 && install -d -o authuser /app /app/keys /logs
COPY compose/http-ok /usr/local/bin/
COPY --from=build /src/target/release/auth-server /usr/local/bin/
USER authuser
WORKDIR /app
# Where the key is made on the first start; with REDIS_URL nothing else is kept here.
ENV DATA_DIR=/app/keys
EXPOSE 8000
CMD ["auth-server", "--host", "0.0.0.0", "--port", "8000"]
