//! Access tokens without logins: signed with the key that the programs under test are given, and recorded in their
//! stores by the gateway's own code.

use std::error::Error;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime};

use auth_server::jwt::{Algorithm, Jwt, PrivateKey};
use auth_server::oauth::access_token::{Claims, TokenRecord};
use auth_server::oauth::id::{ClientId, Subject, TokenId};
use auth_server::oauth::people::Groups;
use auth_server::oauth::scope::Scope;
use auth_server::store::{Store, StoreConfig};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, TryStreamExt, stream};

const LIFETIME: Duration = Duration::from_secs(86_400);
/// Writes under way at a time.
const AT_ONCE: usize = 512;
/// People whom many tokens belong to.
const PEOPLE: usize = 1000;
/// Commands that are sent before their answers are read.
const PIPELINE: usize = 1000;

pub(crate) struct Mint {
    issuer: String,
    jwt: Jwt,
    /// `JWT_PRIVATE_KEY_B64`
    pub(crate) key: String,
}

impl Mint {
    pub(crate) fn new(issuer: String) -> Result<Self, Box<dyn Error>> {
        let key = PrivateKey::generate(Algorithm::Rs256)?;
        let pem = STANDARD.encode(key.pem().expose());
        Ok(Self { jwt: Jwt::new(key, issuer.clone()), issuer, key: pem })
    }

    /// Names of tokens; two stocks share none.
    pub(crate) fn record(&self, stock: &str, number: usize) -> TokenRecord {
        let now = now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: Subject::parse("583231").expect("digits"),
            aud: vec![self.issuer.clone()],
            client_id: ClientId::parse("client_bench").expect("letters"),
            scope: Scope::parse("openid profile email").expect("scopes"),
            jti: TokenId::parse(&format!("{stock}-{number:016}")).expect("letters and digits"),
            iat: now,
            nbf: None,
            exp: now + LIFETIME.as_secs(),
            username: format!("person-{}", number % PEOPLE),
            email: Some("octocat@example.com".to_owned()),
            name: Some("Octocat".to_owned()),
        };
        TokenRecord { claims, family: None, groups: Groups::default() }
    }

    /// Signing takes longer than checking by far, so all cores take part.
    pub(crate) fn tokens(&self, stock: &str, count: usize) -> Vec<String> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let each = count.div_ceil(threads).max(1);
        let share =
            |from: usize| move || (from..count.min(from + each)).map(|i| self.token(stock, i)).collect::<Vec<_>>();
        thread::scope(|scope| {
            let shares: Vec<_> = (0..count).step_by(each).map(|from| scope.spawn(share(from))).collect();
            shares.into_iter().flat_map(|share| share.join().expect("a token can be signed")).collect()
        })
    }

    pub(crate) fn token(&self, stock: &str, number: usize) -> String {
        self.jwt.sign(&self.record(stock, number).claims).expect("a token can be signed")
    }

    /// Records `count` tokens of a stock.
    pub(crate) async fn fill(&self, config: &StoreConfig, stock: &str, count: usize) -> Result<(), Box<dyn Error>> {
        let store = Store::open(config)?;
        let put = async |i: usize| store.put_token(&self.record(stock, i), LIFETIME).await.map(drop);
        Ok(stream::iter(0..count).map(put).buffer_unordered(AT_ONCE).try_collect::<()>().await?)
    }

    /// The same for very many: what the store wrote of the first of `like` is written of all, past the store.
    pub(crate) fn fill_redis(&self, addr: SocketAddr, like: &str, stock: &str, count: usize) -> io::Result<()> {
        let mut answers = TcpStream::connect(addr)?;
        let mut commands = BufWriter::with_capacity(1 << 20, answers.try_clone()?);
        let template = get(&mut answers, &format!("oauth:token:{like}-{:016}", 0))?;
        let seconds = LIFETIME.as_secs().to_string();
        for first in (0..count).step_by(PIPELINE) {
            let numbers = first..count.min(first + PIPELINE);
            for i in numbers.clone() {
                let jti = format!("{stock}-{i:016}");
                command(
                    &mut commands,
                    &[b"SETEX", format!("oauth:token:{jti}").as_bytes(), seconds.as_bytes(), &template],
                )?;
                let set = format!("oauth:user_tokens:person-{}", i % PEOPLE);
                command(&mut commands, &[b"SADD", set.as_bytes(), jti.as_bytes()])?;
            }
            commands.flush()?;
            // `+OK` and `:1` for each.
            answers.read_exact(&mut vec![0; numbers.len() * (5 + 4)])?;
        }
        Ok(())
    }
}

/// A value of less than 64 KiB.
fn get(redis: &mut TcpStream, key: &str) -> io::Result<Vec<u8>> {
    command(redis, &[b"GET", key.as_bytes()])?;
    let mut answer = BufReader::new(redis);
    let mut length = String::new();
    answer.read_line(&mut length)?;
    let length = length.trim().strip_prefix('$').and_then(|length| length.parse::<u16>().ok());
    let mut value = vec![0; length.ok_or_else(|| io::Error::other(format!("no {key}")))?.into()];
    answer.read_exact(&mut value)?;
    answer.read_exact(&mut [0; 2])?;
    Ok(value)
}

fn command(to: &mut impl Write, words: &[&[u8]]) -> io::Result<()> {
    write!(to, "*{}\r\n", words.len())?;
    for word in words {
        write!(to, "${}\r\n", word.len())?;
        to.write_all(word)?;
        to.write_all(b"\r\n")?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the clock of the stores that are filled")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
