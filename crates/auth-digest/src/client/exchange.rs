//! What an answer means: proven, learned from, or refused.

use super::{
    Digest, channel, cnonce,
    given::Given,
    meaning::{Asked, Kept, Meaning, NonceOrigin, Sent},
    policy::Choice,
    session::{AuthenticationSession, ClientNonceCounting, Terms},
    side::Side,
    spaces::{KeptSession, ProtectionSpace, Standing},
};
use crate::{DigestChallenge, DigestResponse, NonceCount};
use auth_core::{
    Answer, Authorization, Challenges, Credentials, Error, Event, RequestView, Result, Verdict,
};
use http::{HeaderMap, HeaderName};
use std::sync::Arc;

impl Digest {
    pub(super) fn judge(&self, sent: &Credentials, answer: Answer<'_>) -> Result<Verdict> {
        let request = answer.request;
        if !self.side.is_asked_at(request.hop) {
            return Ok(Verdict::Accept);
        }
        let serial = self.stamper.find(sent);
        let given = serial.and_then(|serial| self.given_as(request, serial));
        if answer.status != self.side.status() {
            if let Some(serial) = serial {
                self.served(serial, given.as_deref(), sent, answer)?;
            }
            return Ok(Verdict::Accept);
        }
        let fields = self.challenges(answer.headers)?;
        if fields.is_empty() {
            return Ok(Verdict::Accept);
        }
        let known = self.spaces.find(request.uri);
        let (challenge, choice) = self.policy.choose(&fields, channel(request.uri))?;
        let was_sent = self.response_of(sent);
        let just_given = given.is_some()
            || known.as_deref().is_some_and(|kept| {
                Some(kept.serial) == serial && kept.standing() == Standing::Fresh
            });
        let asked = Asked { realm: &challenge.realm, stale: challenge.stale };
        match Meaning::of(as_sent(was_sent.as_ref(), just_given), as_kept(known.as_deref()), asked)
        {
            Meaning::KnownWrong => Ok(Verdict::Accept),
            Meaning::WrongPassword => {
                self.refused(given.as_deref(), known.as_deref());
                Ok(Verdict::Accept)
            }
            Meaning::Answer => {
                // Other requests may still use the session that this one was refused with first.
                let refused = given.as_ref().map_or(serial, |given| given.refused);
                let kept = self.learn(challenge, choice, known.as_deref(), request)?;
                self.give(kept, refused, request);
                Ok(Verdict::Retry { after: None })
            }
        }
    }

    /// The session that a challenge begins, which no request uses yet.
    pub(super) fn learn(
        &self,
        challenge: &DigestChallenge<'_>,
        choice: Choice,
        known: Option<&KeptSession>,
        request: RequestView<'_>,
    ) -> Result<Arc<KeptSession>> {
        let known = known.map(|kept| &*kept.session.terms);
        let terms = Terms::new(challenge, choice, &self.user, known);
        let place = match self.side {
            Side::Server => ProtectionSpace::of(request.uri, challenge.domain.as_deref())?,
            Side::Proxy => ProtectionSpace::Anywhere,
        };
        let session = self.begin(Arc::new(terms), &challenge.nonce)?;
        Ok(self.spaces.enter(session, place, Standing::Fresh))
    }

    /// Gives a session to a request. One that remembers nothing has to find it among those of all requests.
    pub(super) fn give(
        &self,
        kept: Arc<KeptSession>,
        refused: Option<u64>,
        request: RequestView<'_>,
    ) {
        match request.memory() {
            Some(memory) => memory.remember(&self.stamper, Arc::new(Given::new(kept, refused))),
            None => self.spaces.keep(kept, refused),
        }
    }

    /// The password is wrong: later refusals of requests that were sent with other nonces are not answered any more.
    fn refused(&self, given: Option<&Given>, known: Option<&KeptSession>) {
        match (given, known) {
            (Some(given), _) => {
                given.kept.set(Standing::Refused);
                self.spaces.keep(Arc::clone(&given.kept), given.refused);
            }
            (None, Some(known)) => known.set(Standing::Refused),
            (None, None) => {}
        }
    }

    /// A cnonce of its own for each nonce: what a server could have computed beforehand is then of no use to it.
    pub(super) fn begin(&self, terms: Arc<Terms>, nonce: &[u8]) -> Result<AuthenticationSession> {
        let cnonce = cnonce(&*self.random)?;
        let (first, counting) = (NonceCount::FIRST, ClientNonceCounting::Rising);
        Ok(AuthenticationSession::begin(terms, nonce, cnonce.as_bytes(), first, counting))
    }

    /// The Digest challenges of an answer that can be read. The others are reported; they are an error when there is none.
    pub(super) fn challenges<'a>(
        &self,
        headers: &'a HeaderMap,
    ) -> Result<Vec<DigestChallenge<'a>>> {
        let name = self.side.asks();
        let (mut challenges, mut fault) = (Vec::new(), None);
        let mut fields = Challenges::of(headers, &name);
        while let Some(read) = DigestChallenge::next(&mut fields) {
            match read {
                Ok(challenge) => challenges.extend(challenge),
                Err(error) => {
                    self.report(&name, &error);
                    fault = Some(error);
                }
            }
        }
        match fault {
            Some(fault) if challenges.is_empty() => Err(fault),
            _ => Ok(challenges),
        }
    }

    pub(super) fn report(&self, field: &HeaderName, error: &Error) {
        self.observer.observe(Event::UnreadableField { field, error });
    }

    /// What was sent, if it was ours.
    pub(super) fn response_of<'s>(&self, sent: &'s Credentials) -> Option<DigestResponse<'s>> {
        self.stamper.find(sent)?;
        let field = Authorization::parse(sent.field(&self.side.answers())?.as_bytes()).ok()?;
        DigestResponse::parse(field.credentials()).ok()
    }
}

fn as_sent<'a>(sent: Option<&'a DigestResponse<'_>>, just_given: bool) -> Sent<'a> {
    let Some(sent) = sent else { return Sent::Nothing };
    Sent::Nonce {
        realm: &sent.realm,
        count: sent.counted.as_ref().map(|counted| counted.nc),
        nonce: if just_given { NonceOrigin::JustGiven } else { NonceOrigin::Known },
    }
}

fn as_kept(kept: Option<&KeptSession>) -> Kept<'_> {
    match kept {
        Some(kept) if kept.standing() == Standing::Refused => {
            Kept::Refused { realm: &kept.session.terms.realm }
        }
        _ => Kept::Usable,
    }
}

#[cfg(test)]
mod tests;
