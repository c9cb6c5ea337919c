# The commands people type. `just` alone lists them; scripts/setup installs just into .tools/bin.
set dotenv-load := true

export PATH := justfile_directory() / ".tools/bin:" + justfile_directory() / ".tools/node/bin:" + env("PATH")

_default:
    @just --list --unsorted

# install what is missing into .tools: system, demo, test or all
setup part="all":
    scripts/setup {{ part }}

# the whole gateway on this machine, and a real client using it; --once ends after the calls
demo *options:
    scripts/demo {{ options }}

# format, lints, docs, licences, file lengths, shell
check:
    scripts/check

# checks and tests, as CI runs them; or what `cargo test` takes
test *arguments:
    scripts/test {{ arguments }}

# let libFuzzer look for bytes that break what tests/fuzz says must hold: seconds, subjects
fuzz *arguments:
    scripts/fuzz {{ arguments }}

# the official conformance suite against the sidecar
conformance *arguments:
    scripts/conformance {{ arguments }}

# measure against the Python original and the limit; writes docs/benchmarks.md
bench *arguments:
    scripts/bench {{ arguments }}

# start everything chosen in .env, in containers
up *arguments:
    scripts/compose up -d {{ arguments }}

down *arguments:
    scripts/compose down {{ arguments }}

# build images anew and restart: just rebuild auth
rebuild *services:
    scripts/compose build {{ services }}
    scripts/compose up -d {{ services }}

logs *services:
    scripts/compose logs --tail 100 -f {{ services }}

# is every container healthy, and does discovery answer through Traefik?
check-health:
    scripts/check-health

# print fresh values for .env
generate-all-secrets: generate-jwt-secret generate-rsa-keys generate-redis-password

generate-jwt-secret:
    @echo "GATEWAY_JWT_SECRET=$(openssl rand -hex 32)"

generate-redis-password:
    @echo "REDIS_PASSWORD=$(openssl rand -hex 24)"

generate-rsa-keys:
    @echo "JWT_PRIVATE_KEY_B64=$(cargo run --quiet --package auth-server -- keys generate | base64 -w0)"
