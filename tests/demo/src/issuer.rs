//! Where tokens are obtained: good for an hour, unless it is told to revoke them or to be down.

use auth_core::{Candidates, Flow, Lookup, Random, Result, SystemRandom};
use auth_static::{KeyDigest, KeyHasher};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use std::{
    collections::HashSet,
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// The user that has its tokens.
pub const HOLDER: &str = "carol";

pub struct Issuer {
    hasher: KeyHasher,
    live: Mutex<HashSet<KeyDigest>>,
    down: AtomicBool,
    asked: AtomicUsize,
}

impl Issuer {
    pub fn new(hasher: &KeyHasher) -> Arc<Self> {
        Arc::new(Self {
            hasher: hasher.clone(),
            live: Mutex::default(),
            down: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }

    /// One request for a token.
    pub fn answer(&self) -> Response {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        match self.token() {
            Ok(token) => {
                let said = serde_json::json!({ "access_token": token, "expires_in": 3600 });
                Json(said).into_response()
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn goes_down(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    pub fn comes_back(&self) {
        self.down.store(false, Ordering::SeqCst);
    }

    pub fn revokes_all(&self) {
        self.live().clear();
    }

    fn token(&self) -> Result<String> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes)?;
        let mut token = String::from("demo-");
        for byte in bytes {
            let _ = write!(token, "{byte:02x}");
        }
        self.live().insert(self.hasher.hash(token.as_bytes()));
        Ok(token)
    }

    fn live(&self) -> MutexGuard<'_, HashSet<KeyDigest>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server knows of its tokens.
pub struct Live(pub Arc<Issuer>);

impl Lookup<KeyDigest> for Live {
    type Found = Candidates<(), &'static str>;

    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(self.0.live().contains(id).then_some(Candidates::one((), HOLDER)))
    }
}
