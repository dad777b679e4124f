//! Our verifier, one path for each thing that a client can do.

use super::{PASSWORD, REALM, USER};
use auth_core::{Error, MemoryReplayStore, SystemClock, SystemRandom, Verifier as _};
use auth_digest::{
    DigestAccounts, DigestAlgorithm, DigestPrincipal, DigestVerifier, Ha1, Nonces, OfferedQop,
};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{Router, body::Bytes, routing::any};
use conformance::{Log, Told};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::{net::TcpListener, task::JoinHandle};

/// A path, and what is asked for there.
pub struct Door {
    pub name: &'static str,
    algorithms: &'static [DigestAlgorithm],
    qop: OfferedQop,
    userhash: bool,
    charset: bool,
}

pub const DOORS: &[Door] = &[
    door("md5", &[DigestAlgorithm::Md5], OfferedQop::Auth),
    door("md5-sess", &[DigestAlgorithm::Md5Sess], OfferedQop::Auth),
    door("sha-256", &[DigestAlgorithm::Sha256], OfferedQop::Auth),
    door("sha-256-sess", &[DigestAlgorithm::Sha256Sess], OfferedQop::Auth),
    door("sha-512-256", &[DigestAlgorithm::Sha512_256], OfferedQop::Auth),
    door("sha-512-256-sess", &[DigestAlgorithm::Sha512_256Sess], OfferedQop::Auth),
    door("md5-legacy", &[DigestAlgorithm::Md5], OfferedQop::Legacy),
    door("sha-256-legacy", &[DigestAlgorithm::Sha256], OfferedQop::Legacy),
    door("md5-int", &[DigestAlgorithm::Md5], OfferedQop::AuthInt),
    door("sha-256-int", &[DigestAlgorithm::Sha256], OfferedQop::AuthInt),
    door("sha-256-either", &[DigestAlgorithm::Sha256], OfferedQop::Both),
    door("two", &[DigestAlgorithm::Sha256, DigestAlgorithm::Md5], OfferedQop::Auth),
    Door { userhash: true, ..door("userhash", &[DigestAlgorithm::Sha256], OfferedQop::Auth) },
    Door { charset: false, ..door("no-charset", &[DigestAlgorithm::Md5], OfferedQop::Auth) },
];

const fn door(name: &'static str, algorithms: &'static [DigestAlgorithm], qop: OfferedQop) -> Door {
    Door { name, algorithms, qop, userhash: false, charset: true }
}

/// A server that runs until it is dropped.
pub struct Doors {
    pub base: String,
    pub log: Log,
    task: JoinHandle<()>,
}

impl Doors {
    pub async fn open() -> Result<Self, String> {
        let (log, mut app) = (Log::default(), Router::new());
        for door in DOORS {
            app = app.merge(door.route(&log).map_err(|error| error.to_string())?);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { base: format!("http://{address}"), log, task })
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    fn route(&self, log: &Log) -> Result<Router, Error> {
        let mut accounts = DigestAccounts::new();
        for algorithm in self.algorithms {
            let ha1 = Ha1::new(algorithm.function(), USER, REALM.as_bytes(), PASSWORD.as_bytes());
            accounts.add(USER, REALM, ha1)?;
        }
        let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock)?;
        let replay = MemoryReplayStore::new(SystemClock);
        let verifier = DigestVerifier::new(REALM, accounts, nonces, replay)?;
        let verifier = verifier.with_qop(self.qop)?.with_algorithms(self.algorithms)?;
        let verifier = if self.userhash { verifier.with_userhash() } else { verifier };
        let verifier = if self.charset { verifier } else { verifier.without_charset() };
        let told = log.clone();
        let answer = move |caller: Authenticated<String>, body: Bytes| async move {
            told.note(Told::Accepted(caller.principal.clone()));
            body
        };
        let layer = VerifyLayer::new(verifier.map(shown)).with_observer(log.clone());
        Ok(Router::new().route(&format!("/{}", self.name), any(answer)).layer(layer))
    }

    /// How the best answer that can be given here is shown.
    pub fn best(&self) -> String {
        let algorithm = self.algorithms.first().map_or("", |algorithm| algorithm.name());
        let qop = match self.qop {
            OfferedQop::Legacy => "without qop",
            OfferedQop::AuthInt => "auth-int",
            _ => "auth",
        };
        format!("{USER} by {algorithm} {qop}")
    }

    /// Each nonce serves once where there is no count.
    pub const fn counts(&self) -> bool {
        !matches!(self.qop, OfferedQop::Legacy)
    }
}

/// `alice by SHA-256 auth`: the user, and how the response proved it.
fn shown(caller: DigestPrincipal) -> String {
    let qop = caller.qop.map_or("without qop", auth_digest::Qop::name);
    format!("{} by {} {qop}", caller.user, caller.algorithm)
}
