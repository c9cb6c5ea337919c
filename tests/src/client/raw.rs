//! Requests that no URL library lets through: the path is sent as it is written.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// The whole answer to a GET of `path` over TLS at `host` (name and port), by `openssl s_client`.
pub fn raw_get(authority: &Path, host: &str, path: &str) -> String {
    let (name, port) = host.split_once(':').expect("name and port");
    let mut openssl = Command::new("timeout");
    openssl.args(["20", "openssl", "s_client", "-quiet", "-verify_return_error", "-servername", name, "-CAfile"]);
    openssl.arg(authority).args(["-connect", &format!("127.0.0.1:{port}")]);
    openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = openssl.spawn().expect("openssl can be run");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    let mut stdin = running.stdin.take().expect("piped");
    // It may have ended already, with a connection that was closed during the handshake: then nothing is the answer.
    let _ended = stdin.write_all(request.as_bytes()).is_err();
    let output = running.wait_with_output().expect("openssl ends with the connection");
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
