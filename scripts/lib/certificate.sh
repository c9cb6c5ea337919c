# shellcheck shell=bash
# A certificate for the demo's names, signed by an authority made for it.
# The authority may only speak for *.localhost (RFC 5280 §4.2.1.10) and its key is thrown away once it has signed,
# so a person who trusts it trusts these names on their own computer and nothing else.

# make_certificate DIRECTORY SERVICE…: ca.pem, cert.pem (with the chain) and key.pem, made anew a day before they end.
make_certificate() {
  local dir=$1 names="DNS:localhost,DNS:auth.localhost,IP:127.0.0.1" service
  shift
  for service in "$@"; do names+=",DNS:$service.localhost"; done
  if [ "$(cat "$dir/names" 2>/dev/null)" = "$names" ] && openssl x509 -checkend 86400 -noout -in "$dir/cert.pem" >/dev/null; then
    return
  fi
  mkdir -p "$dir" && chmod 700 "$dir"
  (
    cd "$dir"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 -subj "/CN=MCP gateway demo" \
      -keyout ca.key -out ca.pem \
      -addext "keyUsage=critical,keyCertSign" \
      -addext "nameConstraints=critical,permitted;DNS:localhost,permitted;IP:127.0.0.1/255.255.255.255"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout key.pem -out request.pem
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 397 -out leaf.pem -extfile <(
      printf '%s\n' "subjectAltName=$names" "basicConstraints=critical,CA:FALSE" \
        "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth"
    )
    cat leaf.pem ca.pem >cert.pem
    rm -f ca.key request.pem leaf.pem
    printf '%s' "$names" >names
  ) >"$LOGS/certificate.log" 2>&1 || fail "openssl could not make the certificate" "see $LOGS/certificate.log"
}
