# shellcheck shell=bash
# The steps of scripts/docker-trial. All that they make carries this run's name; `clean_up` removes it.

RUN=mcp-trial-$$
WORK=$(mktemp -d)
CONTAINER='' URL='' STATUS='' SESSION=''

image() { printf '%s-%s' "$RUN" "$1"; }

clean_up() {
  local containers images
  mapfile -t containers < <(docker ps -aq --filter "name=^$RUN" 2>/dev/null)
  [ ${#containers[@]} = 0 ] || docker rm -f "${containers[@]}" >/dev/null
  # By name: an image of the same content may have another name, which is not ours to remove.
  mapfile -t images < <(docker image ls --format '{{.Repository}}' --filter "reference=$RUN-*" 2>/dev/null)
  [ ${#images[@]} = 0 ] || docker rmi "${images[@]}" >/dev/null
  rm -rf "$WORK"
}

# The Nth Dockerfile that docs/sidecar.md shows; its health check comes every second here, so that nobody waits for it.
dockerfile() {
  awk -v wanted="$1" '/^```$/ { inside = 0 } inside { print } /^```dockerfile$/ { inside = (++seen == wanted) }' \
    docs/sidecar.md | sed 's/--interval=[0-9]*s/--interval=1s/'
}

# build NAME CONTEXT, with the Dockerfile on stdin.
build() {
  local start
  start=$(now_ms)
  docker build --quiet --tag "$(image "$1")" --file - "$2" >"$WORK/build" 2>&1 || fail "the image «$1»" "$(tail -n 20 "$WORK/build")"
  done_line "$1" "$(docker image ls --format '{{.Size}}' "$(image "$1")"), $(since "$start")"
}

# start NAME [OPTIONS…]: CONTAINER and URL are those of the new one.
start() {
  local name=$1
  shift
  CONTAINER=$RUN-$name-$RANDOM
  docker run --detach --name "$CONTAINER" --publish 127.0.0.1::3000 "$@" "$(image "$name")" >/dev/null ||
    fail "docker run $name"
  URL=http://$(docker port "$CONTAINER" 3000/tcp | head -n 1)
  wait_for "$name listens" curl -sf -o /dev/null "$URL/health"
}

# wait_for WHAT COMMAND…: for a minute, until it succeeds.
wait_for() {
  local what=$1 end=$(($(now_ms) + 60000))
  shift
  until "$@"; do
    [ "$(now_ms)" -lt "$end" ] || fail "not within a minute: $what" "$(docker logs "$CONTAINER" 2>&1 | tail -n 20)"
    sleep 0.1
  done
}

# post MESSAGE: STATUS, $WORK/head and $WORK/body are the answer's.
post() {
  local session=()
  [ -z "$SESSION" ] || session=(--header "Mcp-Session-Id: $SESSION")
  STATUS=$(curl --silent --max-time 60 --dump-header "$WORK/head" --output "$WORK/body" --write-out '%{http_code}' \
    --header 'Content-Type: application/json' --header 'Accept: application/json, text/event-stream' \
    "${session[@]}" --data "$1" "$URL/mcp")
}

# A new session, or in STATUS why not.
initialize() {
  SESSION=
  post '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"trial","version":"1"}}}'
  SESSION=$(tr -d '\r' <"$WORK/head" | sed -n 's/^mcp-session-id: //Ip')
}

# calls TOOL ARGUMENTS: what every client does, and a tool that answers.
calls() {
  initialize
  [ "$STATUS" = 200 ] || fail "initialize: $STATUS" "$(cat "$WORK/body")"
  post '{"jsonrpc":"2.0","method":"notifications/initialized"}'
  [ "$STATUS" = 202 ] || fail "notifications/initialized: $STATUS" "$(cat "$WORK/body")"
  post '{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
  grep -q "\"name\":\"$1\"" "$WORK/body" || fail "tools/list does not name $1" "$(cat "$WORK/body")"
  post "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"$1\",\"arguments\":$2}}"
  grep -q '"content":\[{' "$WORK/body" || fail "tools/call $1: $STATUS" "$(cat "$WORK/body")"
}

# What docker ps shows; of an image without a HEALTHCHECK, what the command says in it.
is_healthy() {
  wait_for "healthy" says_healthy
}

says_healthy() {
  case $(docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$CONTAINER") in
    healthy) ;;
    '') docker exec "$CONTAINER" mcp-sidecar healthcheck 2>/dev/null ;;
    *) return 1 ;;
  esac
}

# No process has that name, be it alive or a zombie. docker top would not show zombies; the image must have busybox.
no_process() {
  local names
  names=$(docker exec "$CONTAINER" /bin/busybox ps -o comm) || return 1
  ! grep -qw "$1" <<<"$names"
}

memory() { docker stats --no-stream --format '{{.MemUsage}}' "$CONTAINER" | cut -d' ' -f1; }

# stops WHAT: with a session open. docker stop would kill after ten seconds, and the exit code be 137.
stops() {
  local start memory
  memory=$(memory)
  start=$(now_ms)
  docker stop "$CONTAINER" >/dev/null
  has_ended 0
  docker logs "$CONTAINER" 2>&1 | tail -n 1 | grep -q 'stopped$' || fail "the log does not end with «stopped»"
  done_line "$1" "$memory with a session, stopped in $(since "$start")"
}

# ends_by SIGNAL CODE: and nothing of the container runs on, as far as this system sees its processes.
ends_by() {
  local ids id whole
  whole=$(docker inspect --format '{{.Id}}' "$CONTAINER")
  mapfile -t ids < <(docker top "$CONTAINER" -eo pid | tail -n +2)
  [ ${#ids[@]} -ge 3 ] || fail "too few processes to tell anything by: ${#ids[@]}"
  docker kill --signal "$1" "$CONTAINER" >/dev/null
  wait_for "ended by SIG$1" is_not_running
  has_ended "$2"
  for id in "${ids[@]}"; do
    ! grep -qs "$whole" "/proc/${id// /}/cgroup" || fail "process $id of the container is still there"
  done
  done_line "SIG$1 to process 1 of ${#ids[@]}" "exit code $2"
}

is_not_running() { [ "$(docker inspect --format '{{.State.Running}}' "$CONTAINER")" = false ]; }

has_ended() {
  local code
  code=$(docker inspect --format '{{.State.ExitCode}}' "$CONTAINER")
  [ "$code" = "$1" ] || fail "the exit code is $code instead of $1" "$(docker logs "$CONTAINER" 2>&1 | tail -n 5)"
}
