//! The arithmetic: `response`, `rspauth`, and the hashes of bodies (RFC 7616 sections 3.4.1, 3.4.3 and 3.5).

use crate::{
    HashFunction, NonceCount, SessionHa1,
    hash::{Hasher, HexDigest, State},
};
use auth_core::Body;
use std::fmt;

/// What a response is about. `Debug` shows the method: a target may hold secrets.
#[derive(Clone, Copy)]
pub struct DigestMessage<'a> {
    /// The method, as it is sent.
    pub method: &'a str,
    /// The target, as the `uri` parameter has it.
    pub uri: &'a [u8],
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// What the response protects.
    pub protection: DigestProtection<'a>,
}

impl fmt::Debug for DigestMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestMessage({}, ..)", self.method)
    }
}

/// What a response protects, with what must be known for it.
#[derive(Clone, Copy, Debug)]
pub enum DigestProtection<'a> {
    /// Method and target, without count and cnonce (RFC 2069 section 2.1.2).
    Legacy,
    /// Method and target, under `auth`.
    Auth(NonceUse<'a>),
    /// The body as well, under `auth-int`.
    AuthInt(NonceUse<'a>, BodyHash),
}

/// What keeps two requests under one nonce apart.
#[derive(Clone, Copy, Debug)]
pub struct NonceUse<'a> {
    /// How many requests were made under the nonce.
    pub nc: NonceCount,
    /// The client's nonce.
    pub cnonce: &'a [u8],
}

impl SessionHa1 {
    /// The `response` to a challenge (RFC 7616 section 3.4.1).
    ///
    /// ```
    /// use auth_digest::{DigestAlgorithm, NonceUse, Ha1, HashFunction, DigestMessage, NonceCount, DigestProtection};
    /// let ha1 = Ha1::new(HashFunction::Md5, "Mufasa", b"testrealm@host.com", b"Circle Of Life");
    /// let message = DigestMessage {
    ///     method: "GET",
    ///     uri: b"/dir/index.html",
    ///     nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
    ///     protection: DigestProtection::Auth(NonceUse { nc: NonceCount::FIRST, cnonce: b"0a4f113b" }),
    /// };
    /// let session = ha1.session(DigestAlgorithm::Md5, message.nonce, b"0a4f113b");
    /// assert!(session.response(&message).matches(b"6629fae49393a05397450978507c4ef1"));
    /// ```
    #[must_use]
    pub fn response(&self, message: &DigestMessage<'_>) -> HexDigest {
        let ha2 = ha2(self.function, message.method, message.uri, &message.protection);
        let mut hasher = Hasher::new(self.function);
        self.push_front(&mut hasher, message.nonce);
        push_rest(&mut hasher, &message.protection, &ha2);
        hasher.finish()
    }

    /// The `rspauth` with which a server proves that it knows the password too (RFC 7616 section 3.5).
    ///
    /// It is about the same message, but for its method, and under `auth-int` about the body of the answer.
    #[must_use]
    pub fn rspauth(&self, message: &DigestMessage<'_>) -> HexDigest {
        self.response(&DigestMessage { method: "", ..*message })
    }

    /// Everything that responses under one nonce have in common, hashed once.
    pub(crate) fn under(&self, nonce: &[u8]) -> UnderNonce {
        let mut hasher = Hasher::new(self.function);
        self.push_front(&mut hasher, nonce);
        UnderNonce { function: self.function, state: hasher.state() }
    }

    #[inline]
    fn push_front(&self, hasher: &mut Hasher, nonce: &[u8]) {
        hasher.update(self.expose());
        hasher.update(b":");
        hasher.update(nonce);
        hasher.update(b":");
    }
}

/// The state of the hash behind `HA1:nonce:`. As secret as a session's HA1.
pub(crate) struct UnderNonce {
    function: HashFunction,
    state: State,
}

impl UnderNonce {
    pub(crate) const fn function(&self) -> HashFunction {
        self.function
    }

    /// [`SessionHa1::rspauth`], of a message that differs from the response's in nothing but its method.
    pub(crate) fn rspauth(&self, uri: &[u8], protection: &DigestProtection<'_>) -> HexDigest {
        self.response(protection, &ha2(self.function, "", uri, protection))
    }

    #[inline]
    pub(crate) fn response(&self, protection: &DigestProtection<'_>, ha2: &HexDigest) -> HexDigest {
        let mut hasher = Hasher::behind(self.function, &self.state);
        push_rest(&mut hasher, protection, ha2);
        hasher.finish()
    }
}

/// What is behind the nonce.
#[inline]
fn push_rest(hasher: &mut Hasher, protection: &DigestProtection<'_>, ha2: &HexDigest) {
    let counted = match protection {
        DigestProtection::Legacy => None,
        DigestProtection::Auth(count) => Some((&b":auth:"[..], count)),
        DigestProtection::AuthInt(count, _) => Some((&b":auth-int:"[..], count)),
    };
    if let Some((qop, count)) = counted {
        hasher.update(&count.nc.digits());
        hasher.update(b":");
        hasher.update(count.cnonce);
        hasher.update(qop);
    }
    hasher.update(ha2.as_bytes());
}

/// `H(A2)`, of `method ":" uri` and under `auth-int` the hash of the body behind them.
#[inline]
pub(crate) fn ha2(
    function: HashFunction,
    method: &str,
    uri: &[u8],
    protection: &DigestProtection<'_>,
) -> HexDigest {
    let mut hasher = Hasher::new(function);
    hasher.update(method.as_bytes());
    hasher.update(b":");
    hasher.update(uri);
    if let DigestProtection::AuthInt(_, body) = protection {
        hasher.update(b":");
        hasher.update(body.0.as_bytes());
    }
    hasher.finish()
}

/// `H(entity-body)`: the hash of a body under the hash function of an algorithm.
#[derive(Clone, Copy)]
pub struct BodyHash(HexDigest);

impl BodyHash {
    /// Of a body that is all here.
    #[must_use]
    pub fn of(function: HashFunction, body: &[u8]) -> Self {
        let mut hasher = Self::begin(function);
        hasher.update(body);
        hasher.finish()
    }

    /// Of a body as far as an adapter has read it; `None` when it has not read it.
    #[must_use]
    pub fn read(function: HashFunction, body: Body<'_>) -> Option<Self> {
        match body {
            Body::Bytes(bytes) => Some(Self::of(function, bytes)),
            _ => None,
        }
    }

    /// Begins to hash a body that comes in pieces.
    #[must_use]
    pub fn begin(function: HashFunction) -> BodyHasher {
        BodyHasher(Hasher::new(function))
    }
}

/// A hash is no secret, and no use to see.
impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyHash(..)")
    }
}

/// Hashes a body piece by piece, for programs that stream it and send the response behind it, or know the body beforehand.
pub struct BodyHasher(Hasher);

impl BodyHasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(mut self) -> BodyHash {
        BodyHash(self.0.finish())
    }
}

impl fmt::Debug for BodyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyHasher(..)")
    }
}

/// The hash that stands for a user name under `userhash` (RFC 7616 section 3.4.4).
#[must_use]
pub fn userhash(function: HashFunction, user: &str, realm: &[u8]) -> HexDigest {
    let mut hasher = Hasher::new(function);
    hasher.update(user.as_bytes());
    hasher.update(b":");
    hasher.update(realm);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DigestAlgorithm, Ha1};

    struct Example {
        algorithm: DigestAlgorithm,
        user: &'static str,
        realm: &'static str,
        password: &'static str,
        nonce: &'static str,
        cnonce: &'static str,
        uri: &'static str,
    }

    impl Example {
        fn count(&self) -> NonceUse<'static> {
            NonceUse { nc: NonceCount::FIRST, cnonce: self.cnonce.as_bytes() }
        }

        #[track_caller]
        fn check(&self, method: &str, protection: DigestProtection<'_>, expected: &str) {
            let function = self.algorithm.function();
            let (realm, password) = (self.realm.as_bytes(), self.password.as_bytes());
            let ha1 = Ha1::new(function, self.user, realm, password);
            let message = DigestMessage {
                method,
                uri: self.uri.as_bytes(),
                nonce: self.nonce.as_bytes(),
                protection,
            };
            let session = ha1.session(self.algorithm, message.nonce, self.cnonce.as_bytes());
            let response = session.response(&message);
            assert_eq!(std::str::from_utf8(response.as_bytes()).unwrap(), expected);
            let rspauth = session.rspauth(&message);
            let unnamed = session.response(&DigestMessage { method: "", ..message });
            assert!(rspauth.matches(unnamed.as_bytes()));
        }
    }

    const RFC_7616: Example = Example {
        algorithm: DigestAlgorithm::Md5,
        user: "Mufasa",
        realm: "http-auth@example.org",
        password: "Circle of Life",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        uri: "/dir/index.html",
    };

    #[test]
    fn is_that_of_rfc_7616_section_3_9_1() {
        let auth = DigestProtection::Auth(RFC_7616.count());
        RFC_7616.check("GET", auth, "8ca523f5e9506fed4657c9700eebdbec");
        let sha256 = Example { algorithm: DigestAlgorithm::Sha256, ..RFC_7616 };
        let expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        sha256.check("GET", auth, expected);
    }

    /// The RFC printed what a faulty SHA-512/256 made; these are the values of its erratum 4897.
    #[test]
    fn is_that_of_rfc_7616_section_3_9_2_as_corrected() {
        let example = Example {
            algorithm: DigestAlgorithm::Sha512_256,
            user: "J\u{e4}s\u{f8}n Doe",
            realm: "api@example.org",
            password: "Secret, or not?",
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            uri: "/doe.json",
        };
        let auth = DigestProtection::Auth(example.count());
        let expected = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        example.check("GET", auth, expected);
        let hashed = userhash(HashFunction::Sha512_256, example.user, example.realm.as_bytes());
        let expected = b"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        assert!(hashed.matches(expected));
    }

    const RFC_2617: Example = Example {
        realm: "testrealm@host.com",
        password: "Circle Of Life",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: "0a4f113b",
        ..RFC_7616
    };

    #[test]
    fn is_that_of_rfc_2617_section_3_5() {
        let auth = DigestProtection::Auth(RFC_2617.count());
        RFC_2617.check("GET", auth, "6629fae49393a05397450978507c4ef1");
    }

    /// The RFC printed another one; this is the value of its erratum 749.
    #[test]
    fn is_that_of_rfc_2069_section_2_4_as_corrected() {
        let example = Example { password: "CircleOfLife", ..RFC_2617 };
        example.check("GET", DigestProtection::Legacy, "1949323746fe6a43ef61f9606e7febea");
    }

    /// Composed from the formulas of section 3.4, by `md5sum`.
    #[test]
    fn is_that_of_the_formulas_under_auth_int_and_sess() {
        let body = BodyHash::of(HashFunction::Md5, b"{}");
        let int = DigestProtection::AuthInt(RFC_2617.count(), body);
        RFC_2617.check("POST", int, "7eed20a3908e9ce3dfa642b1509ed3c7");
        let session = Example { algorithm: DigestAlgorithm::Md5Sess, ..RFC_2617 };
        session.check(
            "GET",
            DigestProtection::Auth(RFC_2617.count()),
            "8e3825c57e897f5a0dec6c2d4e5059d0",
        );
    }

    #[test]
    fn a_body_hashes_the_same_whole_in_pieces_and_by_an_adapter() {
        for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
            let whole = BodyHash::of(function, b"abc").0;
            let mut pieces = BodyHash::begin(function);
            pieces.update(b"a");
            pieces.update(b"bc");
            assert_eq!(pieces.finish().0.as_bytes(), whole.as_bytes());
            let bytes = BodyHash::read(function, Body::Bytes(b"abc")).unwrap();
            assert_eq!(bytes.0.as_bytes(), whole.as_bytes());
            assert!(BodyHash::read(function, Body::Unread).is_none());
        }
    }
}
