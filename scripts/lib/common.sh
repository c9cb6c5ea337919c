# shellcheck shell=bash
# What every script here shares: where things are, and one way to talk to the person in front of it.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=$ROOT/.tools
export PATH="$TOOLS/bin:$TOOLS/node/bin:$PATH"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' RESET=$'\e[0m'
else
  BOLD='' DIM='' GREEN='' RED='' RESET=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$RESET"; }
done_line() { printf '  %s✓%s %-42s %s%s%s\n' "$GREEN" "$RESET" "$1" "$DIM" "${2:-}" "$RESET"; }
fail() {
  printf '\n  %s✗ %s%s\n' "$RED" "$1" "$RESET" >&2
  [ -z "${2:-}" ] || printf '    %s\n' "$2" >&2
  exit 1
}

# cargo's own number of attempts is 3.
export CARGO_NET_RETRY=${CARGO_NET_RETRY:-10}

# What needs the network may succeed a moment later.
retry() {
  local wait
  for wait in 5 20; do
    "$@" && return
    sleep "$wait"
  done
  "$@"
}

now_ms() { date +%s%3N; }

# How long ago a now_ms was, for people: "340 ms", "12.4 s".
since() {
  local ms=$(($(now_ms) - $1))
  if [ "$ms" -lt 1000 ]; then printf '%d ms' "$ms"; else printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)); fi
}
