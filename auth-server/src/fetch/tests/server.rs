//! An HTTPS server with a certificate of its own, whose answers the test scripts. It counts who came.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    ssl::{SslAcceptor, SslMethod, SslStream},
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName},
};
use reqwest::Certificate;
use url::Url;

/// Writes the answer to one request.
type Answer = dyn Fn(&mut SslStream<TcpStream>) + Send + Sync;

pub(crate) struct HttpsServer {
    pub(crate) root: Certificate,
    addr: SocketAddr,
    met: Arc<AtomicUsize>,
}

impl HttpsServer {
    /// At 127.0.0.1, and at the port that the system gives.
    pub(crate) fn start(name: &str, answer: impl Fn(&mut SslStream<TcpStream>) + Send + Sync + 'static) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), name, answer)
    }

    pub(crate) fn start_at(
        addr: SocketAddr,
        name: &str,
        answer: impl Fn(&mut SslStream<TcpStream>) + Send + Sync + 'static,
    ) -> Self {
        let (key, certificate) = certificate(name);
        let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        let (acceptor, answer) = (acceptor.build(), Arc::new(answer) as Arc<Answer>);
        let listener = TcpListener::bind(addr).unwrap();
        let addr = listener.local_addr().unwrap();
        let met = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&met);
        // Ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (acceptor, answer, counter) = (acceptor.clone(), Arc::clone(&answer), Arc::clone(&counter));
                thread::spawn(move || {
                    counter.fetch_add(1, Ordering::SeqCst);
                    serve(&acceptor, connection, &*answer);
                });
            }
        });
        let root = Certificate::from_der(&certificate.to_der().unwrap()).unwrap();
        Self { root, addr, met }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.addr.ip()
    }

    pub(crate) fn url(&self, name: &str, path: &str) -> Url {
        Url::parse(&format!("https://{name}:{}{path}", self.addr.port())).unwrap()
    }

    /// How many connections it has met.
    pub(crate) fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

fn serve(acceptor: &SslAcceptor, connection: TcpStream, answer: &Answer) {
    // Whoever does not trust the certificate goes away in the middle of it.
    let Ok(mut stream) = acceptor.accept(connection) else { return };
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    answer(&mut stream);
    let _gone_already = stream.shutdown();
}

/// An answer with a body, as any server would send it.
pub(crate) fn respond(stream: &mut impl Write, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    // A client that refuses to read on is what some tests are about.
    let _sent_or_refused = stream.write_all(format!("{head}{body}").as_bytes());
}

pub(crate) fn respond_json(stream: &mut impl Write, body: &str) {
    respond(stream, "200 OK", "Content-Type: application/json\r\n", body);
}

fn certificate(name: &str) -> (PKey<Private>, X509) {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns(name).build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (key, builder.build())
}
