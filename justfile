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

# ten minutes of abandoned sessions and faulty children: is anything left? --seconds N for less
soak *arguments:
    scripts/soak {{ arguments }}

# the sidecar in real containers, as docs/sidecar.md shows; needs Docker and target/static/mcp-sidecar
docker-trial *arguments:
    scripts/docker-trial {{ arguments }}

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

# auth-server's own commands: just admin clients list, just admin doctor (docs/admin.md)
admin *arguments:
    @scripts/admin {{ arguments }}

oauth-list-registrations:
    @scripts/admin clients list

oauth-list-tokens:
    @scripts/admin tokens list

# delete a client and everything that was issued to it
oauth-delete-registration client_id:
    @scripts/admin clients delete {{ client_id }}

# the same: nothing of a deleted client stays
oauth-delete-client-complete client_id: (oauth-delete-registration client_id)

oauth-delete-token jti:
    @scripts/admin tokens revoke {{ jti }}

# asks first, or takes --yes
oauth-delete-all-registrations *options:
    @scripts/admin clients delete --all {{ options }}

# everybody logs in again; asks first, or takes --yes
oauth-delete-all-tokens *options:
    @scripts/admin tokens revoke --all {{ options }}

oauth-stats:
    @scripts/admin stats

oauth-show-all: oauth-stats oauth-list-registrations oauth-list-tokens

oauth-purge-expired:
    @scripts/admin purge

oauth-purge-expired-dry:
    @scripts/admin purge --dry-run

# everything that is stored, into backups/
oauth-backup:
    @scripts/oauth-backup make

oauth-backup-list:
    @scripts/oauth-backup list

# from the latest backup; what is there already stays
oauth-restore:
    @scripts/oauth-backup restore latest

oauth-restore-file filename:
    @scripts/oauth-backup restore {{ filename }}

oauth-restore-dry:
    @scripts/oauth-backup restore latest --dry-run

# from the latest backup, after deleting what is stored; wants --yes
oauth-restore-clear *options:
    @scripts/oauth-backup restore latest --clear {{ options }}

# log in with a browser, and print a token for a program that cannot
mcp-client-token *service:
    @scripts/mcp-client-token {{ service }}

# write mcp-config.json: the services as clients read them
create-mcp-config *file:
    @scripts/create-mcp-config {{ file }}

# which certificate does each public host show, and until when?
check-ssl:
    @scripts/check-ssl
