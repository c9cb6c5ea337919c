// `*.localhost` is this computer (RFC 6761 §6.3), which Debian's getaddrinfo does not know. For `node --require`.

const dns = require("node:dns");
const { syncBuiltinESMExports } = require("node:module");

const { lookup } = dns;
const here = (host) => (host.endsWith(".localhost") ? "127.0.0.1" : host);
dns.lookup = (host, ...rest) => lookup(here(host), ...rest);
syncBuiltinESMExports();
