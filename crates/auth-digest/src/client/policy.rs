//! Which challenge is answered, and how.

use crate::{
    DigestAlgorithm, DigestChallenge, HashFunction, Md5Allowed, Qop, algorithm::Algorithms,
};
use auth_core::{Error, Result};

/// What a client is willing to answer: of several challenges the one with the strongest hash function that this allows.
///
/// | | unless said otherwise |
/// |---|---|
/// | algorithms | all of RFC 7616 |
/// | MD5 | over TLS, or within this machine |
/// | `qop` | `auth` where it is offered, else `auth-int`; none where none is offered (RFC 2069) |
///
/// ```
/// use auth_digest::{Md5Allowed, ChallengePolicy, Qop};
/// let strict = ChallengePolicy::new().with_md5(Md5Allowed::Never).with_qop(Qop::AuthInt);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ChallengePolicy {
    algorithms: Algorithms,
    md5: Md5Allowed,
    qop: Option<Qop>,
}

/// Can somebody else listen?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Confidential,
    Open,
}

/// How a challenge is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) algorithm: DigestAlgorithm,
    pub(crate) qop: Option<Qop>,
}

impl ChallengePolicy {
    /// What the table says.
    #[must_use]
    pub const fn new() -> Self {
        Self { algorithms: Algorithms::ALL, md5: Md5Allowed::Confidential, qop: None }
    }

    /// Where MD5 is good enough.
    #[must_use]
    pub const fn with_md5(self, md5: Md5Allowed) -> Self {
        Self { md5, ..self }
    }

    /// Never this algorithm.
    #[must_use]
    pub const fn without_algorithm(self, algorithm: DigestAlgorithm) -> Self {
        Self { algorithms: self.algorithms.without(algorithm), ..self }
    }

    /// This quality of protection and no other: where it is not offered nothing is sent, and the error says so.
    #[must_use]
    pub const fn with_qop(self, qop: Qop) -> Self {
        Self { qop: Some(qop), ..self }
    }

    /// Of these challenges the one to answer.
    pub(crate) fn choose<'c, 'a>(
        &self,
        challenges: &'c [DigestChallenge<'a>],
        channel: Channel,
    ) -> Result<(&'c DigestChallenge<'a>, Choice)> {
        let mut best: Option<(&DigestChallenge<'_>, Choice)> = None;
        let mut fault = None;
        for challenge in challenges {
            match self.judge(challenge, channel) {
                Err(unfit) => fault = fault.or(Some(unfit)),
                Ok(choice) => {
                    let strength = choice.algorithm.function();
                    let stronger =
                        best.is_none_or(|(_, best)| best.algorithm.function() < strength);
                    if stronger {
                        best = Some((challenge, choice));
                    }
                }
            }
        }
        best.ok_or_else(|| match fault.unwrap_or(Unfit::Algorithm) {
            Unfit::Algorithm => Error::config(
                "digest_choice_algorithm",
                "server offers no algorithm that the policy allows",
            ),
            Unfit::Md5 => Error::config(
                "digest_choice_md5",
                "server offers MD5 alone, which the policy does not allow here",
            ),
            Unfit::Qop => Error::config(
                "digest_choice_qop",
                "server does not offer the qop of the policy, expected it among those offered",
            ),
        })
    }

    /// How this challenge would be answered.
    pub(crate) fn judge(
        &self,
        challenge: &DigestChallenge<'_>,
        channel: Channel,
    ) -> std::result::Result<Choice, Unfit> {
        let algorithm = challenge
            .algorithm()
            .filter(|algorithm| self.algorithms.contains(*algorithm))
            .ok_or(Unfit::Algorithm)?;
        self.allows(algorithm, channel)?;
        let offered = challenge.offered;
        let qop = match self.qop {
            Some(wanted) if offered.has(wanted) => Some(wanted),
            Some(_) => return Err(Unfit::Qop),
            None if offered.has(Qop::Auth) => Some(Qop::Auth),
            None if offered.has(Qop::AuthInt) => Some(Qop::AuthInt),
            None if offered == crate::OfferedQop::Legacy && !algorithm.is_session() => None,
            None => return Err(Unfit::Qop),
        };
        Ok(Choice { algorithm, qop })
    }

    /// May this algorithm be used over such a channel?
    pub(crate) fn allows(
        &self,
        algorithm: DigestAlgorithm,
        channel: Channel,
    ) -> std::result::Result<(), Unfit> {
        let good_enough = match (self.md5, channel) {
            _ if algorithm.function() != HashFunction::Md5 => true,
            (Md5Allowed::Anywhere, _) | (Md5Allowed::Confidential, Channel::Confidential) => true,
            (Md5Allowed::Never, _) | (Md5Allowed::Confidential, Channel::Open) => false,
        };
        if good_enough { Ok(()) } else { Err(Unfit::Md5) }
    }
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Algorithm,
    Md5,
    Qop,
}

impl Default for ChallengePolicy {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of some challenges is chosen, given what each says beside realm and nonce.
    #[track_caller]
    fn check(
        policy: ChallengePolicy,
        challenges: &[&str],
        expected: std::result::Result<&str, &str>,
    ) {
        check_over(Channel::Confidential, policy, challenges, expected);
    }

    #[track_caller]
    fn check_over(
        channel: Channel,
        policy: ChallengePolicy,
        challenges: &[&str],
        expected: std::result::Result<&str, &str>,
    ) {
        let fields: Vec<_> = challenges
            .iter()
            .map(|rest| format!("Digest realm=\"r\", nonce=\"n\"{rest}"))
            .collect();
        let challenges: Vec<_> =
            fields.iter().map(|field| DigestChallenge::parse(field.as_bytes()).unwrap()).collect();
        let chosen = policy
            .choose(&challenges, channel)
            .map(|(_, choice)| {
                let qop = choice.qop.map_or("none", Qop::name);
                format!("{} {qop}", choice.algorithm)
            })
            .map_err(|error| error.code());
        assert_eq!(chosen.as_deref().map_err(|code| *code), expected, "{fields:?}");
    }

    const MD5: &str = ", qop=\"auth\"";
    const SHA256: &str = ", algorithm=SHA-256, qop=\"auth\"";
    const SHA512_256: &str = ", algorithm=SHA-512-256, qop=\"auth\"";

    #[test]
    fn takes_the_strongest_in_any_order() {
        check(ChallengePolicy::new(), &[MD5, SHA256, SHA512_256], Ok("SHA-512-256 auth"));
        check(ChallengePolicy::new(), &[SHA512_256, SHA256, MD5], Ok("SHA-512-256 auth"));
        check(ChallengePolicy::new(), &[MD5, SHA256], Ok("SHA-256 auth"));
        check(ChallengePolicy::default(), &[MD5], Ok("MD5 auth"));
        let session = ", algorithm=SHA-256-sess, qop=\"auth\"";
        check(ChallengePolicy::new(), &[session, SHA256], Ok("SHA-256-sess auth"));
        check(ChallengePolicy::new(), &[SHA256, session], Ok("SHA-256 auth"));
    }

    #[test]
    fn passes_over_what_nobody_knows() {
        check(ChallengePolicy::new(), &[", algorithm=SHA3-256, qop=\"auth\"", MD5], Ok("MD5 auth"));
        check(ChallengePolicy::new(), &[", algorithm=SHA-256, qop=\"x\"", MD5], Ok("MD5 auth"));
        check(ChallengePolicy::new(), &[", algorithm=SHA-256-sess", MD5], Ok("MD5 auth"));
        check(ChallengePolicy::new(), &[", algorithm=SHA3-256"], Err("digest_choice_algorithm"));
        check(ChallengePolicy::new(), &[", qop=\"x\""], Err("digest_choice_qop"));
        check(ChallengePolicy::new(), &[", algorithm=MD5-sess"], Err("digest_choice_qop"));
    }

    #[test]
    fn md5_is_for_where_nobody_listens_unless_said_otherwise() {
        let open = |policy, expected| check_over(Channel::Open, policy, &[MD5], expected);
        open(ChallengePolicy::new(), Err("digest_choice_md5"));
        open(ChallengePolicy::new().with_md5(Md5Allowed::Anywhere), Ok("MD5 auth"));
        check_over(Channel::Open, ChallengePolicy::new(), &[MD5, SHA256], Ok("SHA-256 auth"));
        check(ChallengePolicy::new().with_md5(Md5Allowed::Never), &[MD5], Err("digest_choice_md5"));
        let session = ", algorithm=MD5-sess, qop=\"auth\"";
        check(
            ChallengePolicy::new().with_md5(Md5Allowed::Never),
            &[session],
            Err("digest_choice_md5"),
        );
    }

    #[test]
    fn an_algorithm_that_was_taken_out_is_not_answered() {
        let none = ChallengePolicy::new().without_algorithm(DigestAlgorithm::Sha256);
        check(none, &[SHA256], Err("digest_choice_algorithm"));
    }

    #[test]
    fn takes_auth_before_auth_int_and_never_another_than_was_asked_for() {
        check(ChallengePolicy::new(), &[", qop=\"auth-int,auth\""], Ok("MD5 auth"));
        check(ChallengePolicy::new(), &[", qop=\"auth-int\""], Ok("MD5 auth-int"));
        check(ChallengePolicy::new(), &[""], Ok("MD5 none"));
        check(ChallengePolicy::new(), &[", algorithm=SHA-256"], Ok("SHA-256 none"));
        let int = ChallengePolicy::new().with_qop(Qop::AuthInt);
        check(int, &[", qop=\"auth-int,auth\""], Ok("MD5 auth-int"));
        check(int, &[SHA256], Err("digest_choice_qop"));
        check(int, &[""], Err("digest_choice_qop"));
        check(int, &[SHA256, ", qop=\"auth-int\""], Ok("MD5 auth-int"));
        check(
            ChallengePolicy::new().with_qop(Qop::Auth),
            &[", qop=\"auth-int\""],
            Err("digest_choice_qop"),
        );
    }
}
