//! What the double has issued: codes, tokens, and the families that refresh tokens form.

use super::Refusal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// What becomes of a refresh token that was rotated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PreviousToken {
    /// Its use ends the whole family (RFC 9700 section 4.14.2).
    EndsTheFamily,
    /// It is taken once more while its successor was not used: the answer may have been lost.
    TakenOnceMore,
}

/// An authorization that a code stands for.
#[derive(Clone)]
pub struct Begun {
    pub client: String,
    pub redirect_uri: String,
    pub challenge: String,
    pub scope: String,
}

pub struct Issued {
    previous: PreviousToken,
    made: usize,
    /// Codes; a used one names the family that it began.
    codes: HashMap<String, (Begun, Option<usize>)>,
    /// Access tokens: their families, none of a client's own token.
    access: HashMap<String, Option<usize>>,
    refresh: HashMap<String, Refresh>,
    ended: HashSet<usize>,
}

#[derive(Clone)]
struct Refresh {
    family: usize,
    client: String,
    scope: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    UsedOnce,
    Over,
}

const USER: &str = "alice";

impl Issued {
    pub fn new(previous: PreviousToken) -> Self {
        Self {
            previous,
            made: 0,
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            ended: HashSet::new(),
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    pub fn code(&mut self, begun: Begun) -> String {
        let code = self.name("code");
        self.codes.insert(code.clone(), (begun, None));
        code
    }

    /// A token of the client's own, which cannot be refreshed (RFC 6749 section 4.4.3).
    pub fn own(&mut self, scope: &str) -> Value {
        let token = self.name("own");
        self.access.insert(token.clone(), None);
        answer(&token, None, scope)
    }

    pub fn redeem(
        &mut self,
        client: &str,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Value, Refusal> {
        let refused = |why| Err((400, "invalid_grant", why));
        let Some((begun, used)) = self.codes.get(code).cloned() else {
            return refused("unknown code");
        };
        if begun.client != client || begun.redirect_uri != redirect_uri {
            return refused("code of another client or redirect URI");
        }
        if let Some(family) = used {
            self.ended.insert(family);
            return refused("code was used");
        }
        let hash = digest(&SHA256, verifier.as_bytes());
        if verifier.len() < 43 || URL_SAFE_NO_PAD.encode(hash) != begun.challenge {
            return refused("wrong code_verifier");
        }
        self.made += 1;
        let family = self.made;
        self.codes.insert(code.to_owned(), (begun.clone(), Some(family)));
        Ok(self.pair(family, client, &begun.scope))
    }

    pub fn refresh(&mut self, client: &str, token: &str, scope: &str) -> Result<Value, Refusal> {
        let refused = |why| Err((400, "invalid_grant", why));
        let Some(found) = self.refresh.get(token).cloned() else {
            return refused("unknown refresh token");
        };
        if found.client != client || self.ended.contains(&found.family) {
            return refused("refresh token of another client, or ended");
        }
        let granted: Vec<&str> = found.scope.split(' ').collect();
        if !scope.is_empty() && !scope.split(' ').all(|scope| granted.contains(&scope)) {
            return Err((400, "invalid_scope", "more than was granted"));
        }
        let state = match (found.state, self.previous) {
            (State::Fresh, _) => State::UsedOnce,
            (State::UsedOnce, PreviousToken::TakenOnceMore) => State::Over,
            _ => {
                self.ended.insert(found.family);
                return refused("refresh token was used");
            }
        };
        // Whoever uses a successor has it: its predecessors are over.
        let family = self.refresh.values_mut().filter(|other| other.family == found.family);
        family.filter(|other| other.state == State::UsedOnce).for_each(|other| {
            other.state = State::Over;
        });
        if let Some(used) = self.refresh.get_mut(token) {
            used.state = state;
        }
        Ok(self.pair(found.family, client, &found.scope))
    }

    fn pair(&mut self, family: usize, client: &str, scope: &str) -> Value {
        let (access, refresh) = (self.name("access"), self.name("refresh"));
        self.access.insert(access.clone(), Some(family));
        let kept = Refresh {
            family,
            client: client.to_owned(),
            scope: scope.to_owned(),
            state: State::Fresh,
        };
        self.refresh.insert(refresh.clone(), kept);
        answer(&access, Some(&refresh), scope)
    }

    /// Whom a living access token is for.
    pub fn owner(&self, token: &str) -> Option<&'static str> {
        match self.access.get(token)? {
            None => Some("the client"),
            Some(family) if self.ended.contains(family) => None,
            Some(_) => Some(USER),
        }
    }
}

fn answer(access: &str, refresh: Option<&str>, scope: &str) -> Value {
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 60 });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = refresh.into();
    }
    if !scope.is_empty() {
        answer["scope"] = scope.into();
    }
    answer
}
