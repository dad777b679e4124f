//! The compact serialization (RFC 7515 section 7.1): from text to a proven signature.

use crate::{
    Claims, JwsHeader, JwtPolicy, JwtRefused, VerifyingKey, base64url, claims::ReadClaims, reason,
};
use auth_core::Timestamp;
use std::fmt;

/// A token whose signature is not proven yet. Its header was read, its payload was not.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_jwt::{JwsAlgorithm, ClaimsToSign, JwtPolicy, SigningKey, UnverifiedJws};
/// use std::time::Duration;
///
/// let (key, now) = (SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32])?, Timestamp::from_unix(1_700_000_000));
/// let signed = ClaimsToSign::expiring_in(Duration::from_secs(300))?.with_issuer("service").sign(&key, now, None)?;
///
/// let policy = JwtPolicy::new().with_issuer("service");
/// let claims = UnverifiedJws::parse(signed.expose())?.verify(&key.verifying())?.claims(&policy, now)?;
/// assert_eq!(claims.issuer(), Some("service"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
///
/// Nothing of it may be believed. Its `Debug` shows the header alone: the token is a credential.
pub struct UnverifiedJws<'a> {
    header: JwsHeader,
    /// Header and payload as they were sent, with the dot between: what is signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> UnverifiedJws<'a> {
    /// A token may have so many bytes, unless another limit was set.
    pub const MOST_BYTES: usize = 8 * 1024;

    /// Takes a token apart: three parts, and a header that is strict JSON in canonical base64url, names an algorithm
    /// that is implemented and demands no extension.
    ///
    /// # Errors
    ///
    /// The reason of the first that does not hold.
    pub fn parse(token: &'a str) -> Result<Self, JwtRefused> {
        Self::parse_at_most(token, Self::MOST_BYTES)
    }

    /// As [`parse`](Self::parse), with another limit of bytes.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_at_most(token: &'a str, bytes: usize) -> Result<Self, JwtRefused> {
        if token.len() > bytes {
            return Err(reason::SIZE);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(reason::PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(reason::PARTS)?;
        if payload.contains('.') {
            return Err(match payload.split('.').count() {
                3 => reason::ENCRYPTED,
                _ => reason::PARTS,
            });
        }
        Ok(Self { header: JwsHeader::parse(header)?, message, payload, signature })
    }

    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// Which key the token wants to be verified with: to look keys up, and for nothing else. The policy says which claim
    /// names the signer.
    ///
    /// The payload is read as strictly as when it is verified, and of it the signer alone comes out.
    ///
    /// # Errors
    ///
    /// When the payload is not strict JSON in canonical base64url, has more members than the policy allows, or a
    /// registered claim is of another type.
    ///
    /// # Security
    ///
    /// Nobody has signed this yet.
    pub fn key_id(&self, policy: &JwtPolicy) -> Result<KeyId, JwtRefused> {
        Ok(self.key_id_of(&self.read_claims(policy)?, policy))
    }

    /// [`key_id`](Self::key_id), of claims that were read.
    pub(crate) fn key_id_of(&self, claims: &ReadClaims, policy: &JwtPolicy) -> KeyId {
        let issuer = claims.signer(policy.signer()).map(Into::into);
        KeyId { issuer, kid: self.header.key_id().map(Into::into) }
    }

    /// The claims, which nobody has signed yet.
    pub(crate) fn read_claims(&self, policy: &JwtPolicy) -> Result<ReadClaims, JwtRefused> {
        ReadClaims::read(self.payload()?, policy)
    }

    /// Proves the signature. `alg` must be that of the key, and then the key must have signed it; what the payload holds
    /// is looked at by nobody before that.
    ///
    /// # Errors
    ///
    /// `jwt_alg_other`, `jwt_signature`, or that the signature or the payload is not canonical base64url.
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJws, JwtRefused> {
        self.verify_any([key]).map(|(_, signed)| signed)
    }

    /// As [`verify`](Self::verify), with several keys that may all have signed it, as while keys are rotated; says which
    /// did, counted from zero.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify): `jwt_alg_other` when no key is of its algorithm.
    ///
    /// # Security
    ///
    /// Every key of the algorithm is tried, whichever matches: the time says nothing of their order. How many there are
    /// is bounded by the caller.
    pub fn verify_any<'k>(
        self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
    ) -> Result<(usize, VerifiedJws), JwtRefused> {
        let key = self.proven_by(keys.into_iter().enumerate())?;
        Ok((key, VerifiedJws { payload: self.payload()?, header: self.header }))
    }

    /// [`verify_any`](Self::verify_any) without the payload, of keys with something beside them that comes out.
    pub(crate) fn proven_by<'k, T>(
        &self,
        keys: impl IntoIterator<Item = (T, &'k VerifyingKey)>,
    ) -> Result<T, JwtRefused> {
        if self.signature.len() <= SHORT_SIGNATURE {
            self.proven_within::<SHORT_SIGNATURE, T>(keys)
        } else {
            self.proven_within::<LONG_SIGNATURE, T>(keys)
        }
    }

    fn proven_within<'k, const MOST: usize, T>(
        &self,
        keys: impl IntoIterator<Item = (T, &'k VerifyingKey)>,
    ) -> Result<T, JwtRefused> {
        let mut buffer = [0; MOST];
        let length = base64url::decode_slice(self.signature.as_bytes(), &mut buffer);
        let signature = length.and_then(|length| buffer.get(..length));
        let signature = signature.ok_or(reason::SIGNATURE_BASE64URL)?;
        let mut proven = Err(reason::ALG_OTHER);
        for (of_key, key) in keys {
            if key.algorithm() != self.header.algorithm() {
                continue;
            }
            let verified = key.verify(self.message.as_bytes(), signature).is_ok();
            proven = match proven {
                Ok(first) => Ok(first),
                Err(_) if verified => Ok(of_key),
                Err(_) => Err(reason::SIGNATURE),
            };
        }
        proven
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, JwtRefused> {
        base64url::decode(self.payload.as_bytes()).ok_or(reason::PAYLOAD_BASE64URL)
    }
}

/// Of the characters that HMAC, ECDSA and Ed25519 signatures have, the most: ES384 has 128.
const SHORT_SIGNATURE: usize = 128;
/// Of the bytes that a signature has, the most: RSA with 8192 bits.
const LONG_SIGNATURE: usize = 1024;

impl fmt::Debug for UnverifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A JWS whose signature is proven. Its claims come from the owner of the key, and are not judged yet.
pub struct VerifiedJws {
    header: JwsHeader,
    payload: Vec<u8>,
}

impl VerifiedJws {
    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// The bytes that were signed, whatever they are.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the payload as claims, and judges them at this time.
    ///
    /// # Errors
    ///
    /// That it is no strict JSON object, that a registered claim is of another type (RFC 7519 section 4.1), or the
    /// sentence of the [`JwtPolicy`] that does not hold.
    pub fn claims(self, policy: &JwtPolicy, now: Timestamp) -> Result<Claims, JwtRefused> {
        let read = ReadClaims::read(self.payload, policy)?;
        Claims::judged(&self.header, read, policy, now)
    }
}

impl fmt::Debug for VerifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").field("header", &self.header).finish_non_exhaustive()
    }
}

/// The issuer that a token claims to be signed by, and which of its keys: what a look-up of keys is asked.
///
/// Both parts are opaque, and neither is glued to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyId {
    /// `iss` of the payload.
    pub issuer: Option<Box<str>>,
    /// `kid` of the header.
    pub kid: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ClaimsToSign, JwsAlgorithm, SigningKey,
        forged::{HS256, encoded, key, signed, token},
    };
    use proptest::prelude::*;
    use std::time::Duration;

    const PAYLOAD: &str = r#"{"iss":"a","exp":1}"#;

    fn verified(token: &str) -> Result<VerifiedJws, JwtRefused> {
        UnverifiedJws::parse(token)?.verify(&key().verifying())
    }

    #[track_caller]
    fn check(token: &str, expected: Result<&str, JwtRefused>) {
        let signed = verified(token);
        let payload = signed.as_ref().map(|signed| signed.payload()).map_err(|refused| *refused);
        assert_eq!(payload, expected.map(str::as_bytes), "{token:.200}");
    }

    #[test]
    fn gives_the_payload_that_was_signed_whatever_it_is() {
        check(&token(HS256, PAYLOAD), Ok(PAYLOAD));
        check(&token(r#"{"alg":"HS256"}"#, "no JSON"), Ok("no JSON"));
        check(&token(HS256, ""), Ok(""));
    }

    #[test]
    fn refuses_what_has_not_three_parts() {
        let (header, payload) = (encoded(HS256), encoded(PAYLOAD));
        for text in [
            "",
            ".",
            "a",
            "a.b",
            &header,
            &format!("{header}.{payload}"),
            "...",
            "a.b.c.d",
            "a.b.c.d.e.f",
        ] {
            check(text, Err(reason::PARTS));
        }
        check("a.b.c.d.e", Err(reason::ENCRYPTED));
        check("....", Err(reason::ENCRYPTED));
        check("..", Err(reason::HEADER_OBJECT));
    }

    #[test]
    fn refuses_a_token_beyond_its_limit() {
        let header = encoded(HS256);
        let longest = |more: usize| {
            let rest = UnverifiedJws::MOST_BYTES - header.len() - 43 - 2 + more;
            signed(format!("{header}.{}", "A".repeat(rest)))
        };
        assert_eq!(longest(0).len(), UnverifiedJws::MOST_BYTES);
        assert!(verified(&longest(0)).is_ok());
        check(&longest(1), Err(reason::SIZE));
        let token = token(HS256, PAYLOAD);
        assert!(UnverifiedJws::parse_at_most(&token, token.len()).is_ok());
        assert_eq!(
            UnverifiedJws::parse_at_most(&token, token.len() - 1).unwrap_err(),
            reason::SIZE
        );
        assert!(UnverifiedJws::parse_at_most(&longest(4), 1 << 20).is_ok());
    }

    #[test]
    fn refuses_base64url_that_is_not_canonical_even_when_it_is_signed() {
        let (header, payload) = (encoded(HS256), encoded(PAYLOAD));
        for wrong in ["=", "\n", " ", "B", "é", "?", "+/"] {
            check(&signed(format!("{header}.{payload}{wrong}")), Err(reason::PAYLOAD_BASE64URL));
        }
        // Of the last character four bits are not used.
        check(
            &signed(format!("{header}.{}R", payload.strip_suffix('Q').unwrap())),
            Err(reason::PAYLOAD_BASE64URL),
        );

        let good = token(HS256, PAYLOAD);
        for wrong in ["=", "\n", "AA", "é"] {
            check(&format!("{good}{wrong}"), Err(reason::SIGNATURE_BASE64URL));
        }
    }

    #[test]
    fn refuses_every_signature_but_that_of_the_key() {
        let good = token(HS256, PAYLOAD);
        let (message, signature) = good.rsplit_once('.').unwrap();
        check(&format!("{message}."), Err(reason::SIGNATURE));
        check(&format!("{message}.AAAA"), Err(reason::SIGNATURE));
        check(&format!("{message}.{}", signature.split_at(40).0), Err(reason::SIGNATURE));
        check(&format!("{message}.{}", "A".repeat(88)), Err(reason::SIGNATURE));
        check(&format!("{message}.{}", "A".repeat(1364)), Err(reason::SIGNATURE));
        check(&format!("{message}.{}", "A".repeat(1368)), Err(reason::SIGNATURE_BASE64URL));
        let other = token(HS256, r#"{"iss":"b","exp":1}"#);
        check(&format!("{message}.{}", other.rsplit_once('.').unwrap().1), Err(reason::SIGNATURE));
        let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[8; 32]).unwrap().verifying();
        let refused = UnverifiedJws::parse(&good).unwrap().verify(&key).unwrap_err();
        assert_eq!(refused, reason::SIGNATURE);
    }

    #[test]
    fn the_key_decides_the_algorithm() {
        for other in JwsAlgorithm::ALL.into_iter().filter(|other| *other != JwsAlgorithm::HS256) {
            check(&token(&format!(r#"{{"alg":"{other}"}}"#), PAYLOAD), Err(reason::ALG_OTHER));
        }
        let hs512 = SigningKey::from_secret(JwsAlgorithm::HS512, &[7; 64]).unwrap().verifying();
        let refused = UnverifiedJws::parse(&token(HS256, PAYLOAD)).unwrap().verify(&hs512);
        assert_eq!(refused.unwrap_err(), reason::ALG_OTHER);
    }

    #[test]
    fn says_which_of_several_keys_signed() {
        let (good, first) = (token(HS256, PAYLOAD), key().verifying());
        let other = SigningKey::from_secret(JwsAlgorithm::HS256, &[8; 32]).unwrap().verifying();
        let hs512 = SigningKey::from_secret(JwsAlgorithm::HS512, &[7; 64]).unwrap().verifying();
        let by = |keys: &[&VerifyingKey]| {
            let verified = UnverifiedJws::parse(&good).unwrap().verify_any(keys.iter().copied());
            verified.map(|(at, signed)| (at, signed.payload().to_vec()))
        };
        let signed = |at| Ok((at, PAYLOAD.as_bytes().to_vec()));
        assert_eq!(by(&[&first]), signed(0));
        assert_eq!(by(&[&first, &other, &first, &hs512]), signed(0));
        assert_eq!(by(&[&hs512, &other, &first]), signed(2));
        assert_eq!(by(&[&other, &hs512]), Err(reason::SIGNATURE));
        assert_eq!(by(&[&hs512]), Err(reason::ALG_OTHER));
        assert_eq!(by(&[]), Err(reason::ALG_OTHER));
    }

    #[test]
    fn tries_every_key_whichever_matches() {
        let (good, first) = (token(HS256, PAYLOAD), key().verifying());
        let other = SigningKey::from_secret(JwsAlgorithm::HS256, &[8; 32]).unwrap().verifying();
        for keys in [[&first, &other, &other], [&other, &first, &other], [&other, &other, &other]] {
            let mut tried = 0;
            let counted = keys.into_iter().inspect(|_| tried += 1);
            let _ = UnverifiedJws::parse(&good).unwrap().verify_any(counted);
            assert_eq!(tried, 3);
        }
    }

    /// The payload is not looked at before the signature is proven, so its faults cannot be probed.
    #[test]
    fn a_forged_payload_is_refused_for_its_signature() {
        for payload in ["", "!", "bm8", "e30"] {
            check(&format!("{}.{payload}.AAAA", encoded(HS256)), Err(reason::SIGNATURE));
        }
    }

    #[test]
    fn says_whose_key_is_wanted() {
        let id = |header: &str, payload: &str| {
            UnverifiedJws::parse(&token(header, payload)).unwrap().key_id(&JwtPolicy::new())
        };
        let of = |issuer: Option<&str>, kid: Option<&str>| {
            Ok(KeyId { issuer: issuer.map(Into::into), kid: kid.map(Into::into) })
        };
        assert_eq!(id(HS256, "{}"), of(None, None));
        assert_eq!(id(HS256, PAYLOAD), of(Some("a"), None));
        assert_eq!(
            id(r#"{"alg":"HS256","kid":"k/../'"}"#, r#"{"iss":"\u0061"}"#),
            of(Some("a"), Some("k/../'"))
        );
        assert_eq!(id(HS256, r#"{"iss":1}"#), Err(reason::ISS_TYPE));
        assert_eq!(id(HS256, r#"{"iss":"a","iss":"b"}"#), Err(reason::CLAIMS_DUPLICATE));
        assert_eq!(id(HS256, "no JSON"), Err(reason::CLAIMS_OBJECT));
        let payload = signed(format!("{}.e31", encoded(HS256)));
        assert_eq!(
            UnverifiedJws::parse(&payload).unwrap().key_id(&JwtPolicy::new()),
            Err(reason::PAYLOAD_BASE64URL)
        );
    }

    #[test]
    fn shows_nothing_of_the_token() {
        let token = token(r#"{"alg":"HS256","kid":"k"}"#, PAYLOAD);
        for shown in
            [format!("{:?}", UnverifiedJws::parse(&token)), format!("{:?}", verified(&token))]
        {
            assert!(shown.contains("HS256") && shown.contains("\"k\""), "{shown}");
            for part in token.split('.').chain(["iss", "123, 34"]) {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_minted_is_accepted(issuer in any::<String>(), subject in any::<String>(), id in any::<Option<String>>(), custom in any::<(String, i64, Vec<Option<bool>>)>(), now in 0..9_000_000_000_u64, seconds in 1..1_000_000_u64) {
            let claims = ClaimsToSign::expiring_in(Duration::from_secs(seconds)).unwrap();
            let claims = claims.with_issuer(&issuer).with_subject(&subject).with_audience("a").with_audience(&subject);
            let claims = claims.with_claim("custom", &custom).unwrap().with_key_id("kid").unwrap();
            let now = Timestamp::from_unix(now);
            let signed = claims.sign(&key(), now, id.as_deref()).unwrap();
            let unverified = UnverifiedJws::parse_at_most(signed.expose(), 1 << 20).unwrap();
            prop_assert_eq!(unverified.key_id(&JwtPolicy::new()).unwrap(), KeyId { issuer: Some(issuer.as_str().into()), kid: Some("kid".into()) });
            let policy = JwtPolicy::new().with_issuer(issuer.as_str()).with_audience(subject.as_str()).with_leeway(Duration::ZERO);
            let read = unverified.verify(&key().verifying()).unwrap().claims(&policy, now).unwrap();
            prop_assert_eq!(read.issuer(), Some(issuer.as_str()));
            prop_assert_eq!(read.subject(), Some(subject.as_str()));
            prop_assert_eq!(read.id(), id.as_deref());
            prop_assert_eq!(read.issued_at(), Some(now));
            prop_assert_eq!((read.expires(), Some(read.dies())), (signed.expires(), signed.expires()));
            let audience: Vec<_> = read.audience().collect();
            prop_assert_eq!(audience, ["a", subject.as_str()]);
            #[derive(serde::Deserialize)]
            struct Custom { custom: (String, i64, Vec<Option<bool>>) }
            prop_assert_eq!(read.read::<Custom>().unwrap().custom, custom);
        }

        #[test]
        fn a_flipped_bit_anywhere_is_refused(payload in any::<Vec<u8>>(), at: prop::sample::Index, bit in 0..8) {
            let mut token = token(HS256, payload).into_bytes();
            let at = at.index(token.len());
            token[at] ^= 1_u8 << bit;
            if let Ok(token) = String::from_utf8(token) {
                prop_assert!(verified(&token).is_err());
            }
        }

        #[test]
        fn any_text_comes_to_an_end(text in any::<String>(), header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
            prop_assert!(verified(&text).is_err());
            let dots = format!("{}.{}.{text}", encoded(&header), encoded(&payload));
            prop_assert!(verified(&dots).is_err());
            if let Ok(unverified) = UnverifiedJws::parse(&token(HS256, &payload)) {
                let _ = unverified.key_id(&JwtPolicy::new());
                let signed = unverified.verify(&key().verifying()).unwrap();
                prop_assert_eq!(signed.payload(), &payload[..]);
                let _ = signed.claims(&JwtPolicy::new(), Timestamp::default());
            }
        }
    }
}
