//! `rediss://`: a real redis-server with TLS and an authority of our own, which `SSL_CERT_FILE` names.

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::StatusCode;

use crate::{
    redis_server::{ATTEMPTS, comes_up, free_port},
    support::Service,
};

const CERTIFICATES: &str = "
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout redis.key -out redis.csr
echo subjectAltName=DNS:localhost,IP:127.0.0.1 >san
openssl x509 -req -in redis.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out redis.pem";

struct TlsRedis {
    child: Child,
    port: u16,
}

impl TlsRedis {
    fn start(dir: &Path) -> Self {
        let mut make = Command::new("sh");
        let made = make.args(["-ec", CERTIFICATES]).current_dir(dir).stderr(Stdio::null()).status().unwrap();
        assert!(made.success());
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut child = Self::spawn(dir, port);
            if comes_up(&mut child, || TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                return Self { child, port };
            }
        }
        panic!("redis-server ended at once on each of {ATTEMPTS} ports");
    }

    fn spawn(dir: &Path, port: u16) -> Child {
        Command::new("redis-server")
            .args(["--port", "0", "--tls-port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--tls-cert-file", "redis.pem", "--tls-key-file", "redis.key", "--tls-ca-cert-file", "ca.pem"])
            .args(["--tls-auth-clients", "no", "--requirepass", "hunter2"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl Drop for TlsRedis {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

#[actix_web::test]
async fn redis_over_tls_works_with_an_authority_of_our_own_and_not_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let redis = TlsRedis::start(dir.path());
    let authority = dir.path().join("ca.pem");
    let url = format!("rediss://localhost:{}", redis.port);
    let vars = [("REDIS_URL", url.as_str()), ("REDIS_PASSWORD", "hunter2"), ("REDIS_TIMEOUT_SECONDS", "30")];
    let trusting = [vars[0], vars[1], vars[2], ("SSL_CERT_FILE", authority.to_str().unwrap())];

    let service = Service::start_program(&trusting).await;
    let client = service.register("none").await;
    let (_, tokens) = service.redeem(&client, &service.code(&client.id).await).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::OK);
    let form = [("token", access), ("client_id", &client.id)];
    service.http.post(service.at("/revoke")).form(&form).send().await.unwrap();
    assert_eq!(service.verify(Some(access)).await.status(), StatusCode::UNAUTHORIZED);
    service.stop().await;

    let mut wary = Service::start_program(&vars).await;
    assert_eq!(wary.get("/health/ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let log = wary.log().await;
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains("certificate verify failed")), "{log}");
    wary.stop().await;
}
