//! The header of a token (RFC 7515 section 4).

use crate::{
    JwsAlgorithm, JwtRefused, base64url, json,
    json::{Text, Value},
    key_header::{KeyHeader, KeyHeaders},
    reason,
};

/// What the header of a token says.
///
/// Members that are not known are ignored (RFC 7515 section 4), except those that demand to be understood: these refuse
/// the token. Whether a token may name or bring a key is for the policy to say: see [`KeyHeader`].
#[derive(Clone, Debug)]
pub struct JwsHeader {
    algorithm: JwsAlgorithm,
    key_id: Option<Box<str>>,
    typ: Typ,
    key_headers: KeyHeaders,
}

#[derive(Clone, Debug)]
enum Typ {
    Absent,
    Jwt,
    Other(Box<str>),
}

impl JwsHeader {
    /// A `kid` may have so many bytes.
    pub const MOST_KEY_ID_BYTES: usize = 128;

    /// How the token claims to be signed; its key decides.
    #[must_use]
    pub const fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// `kid`: an opaque key of a map. It is no path, no query and no address, and must not be used as one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `typ`, as it is written, except that `JWT` is in capitals.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        match &self.typ {
            Typ::Absent => None,
            Typ::Jwt => Some(JWT),
            Typ::Other(other) => Some(other),
        }
    }

    /// Whether `typ` is one of those that are expected; where none is expected, `JWT` or nothing. A media type is compared
    /// without regard to case and may leave its `application/` out (RFC 7515 section 4.1.9).
    pub(crate) fn is_typed(&self, expected: &[Box<str>]) -> bool {
        match (expected, &self.typ) {
            ([], Typ::Absent | Typ::Jwt) => true,
            ([], Typ::Other(found)) => same_type(found, JWT),
            (expected, _) => self
                .token_type()
                .is_some_and(|found| expected.iter().any(|one| same_type(found, one))),
        }
    }

    pub(crate) const fn key_headers(&self) -> KeyHeaders {
        self.key_headers
    }

    pub(crate) fn parse(encoded: &str) -> Result<Self, JwtRefused> {
        let mut small = [0; SMALL];
        if encoded.len() <= SMALL {
            let length = base64url::decode_slice(encoded.as_bytes(), &mut small);
            let json = length.and_then(|length| small.get(..length));
            return Self::read(json.ok_or(reason::HEADER_BASE64URL)?);
        }
        let large = base64url::decode(encoded.as_bytes());
        Self::read(&large.ok_or(reason::HEADER_BASE64URL)?)
    }

    /// The three that most issuers write, ours included, without a look at each byte: that is a tenth of what verifying a
    /// token of HS256 takes.
    fn usual(json: &[u8]) -> Option<Self> {
        let (name, typ) = match json.strip_prefix(b"{\"alg\":\"") {
            Some(rest) => match rest.split_at_checked(NAME)? {
                (name, b"\",\"typ\":\"JWT\"}") => (name, Typ::Jwt),
                (name, b"\"}") => (name, Typ::Absent),
                _ => return None,
            },
            None => {
                let rest = json.strip_prefix(b"{\"typ\":\"JWT\",\"alg\":\"")?;
                (rest.strip_suffix(b"\"}")?, Typ::Jwt)
            }
        };
        let named = |algorithm: &JwsAlgorithm| algorithm.name().as_bytes() == name;
        let algorithm = JwsAlgorithm::ALL.into_iter().find(named)?;
        Some(Self { algorithm, key_id: None, typ, key_headers: KeyHeaders::NONE })
    }

    fn read(json: &[u8]) -> Result<Self, JwtRefused> {
        if let Some(usual) = Self::usual(json) {
            return Ok(usual);
        }
        let mut members = Members::NONE;
        let read = json::object(json, |name, value| {
            members.take(name, value);
            Ok(())
        });
        read.map_err(reason::in_header)?;
        members.judge()
    }
}

/// Headers of more characters are refused nearly always, so decoding them may allocate.
const SMALL: usize = 512;
const JWT: &str = "JWT";
/// The letters of an algorithm's name: the same count for all of them.
const NAME: usize = 5;

struct Members<'a> {
    alg: Option<Value<'a>>,
    kid: Option<Value<'a>>,
    typ: Option<Value<'a>>,
    key_headers: KeyHeaders,
    forbidden: Option<JwtRefused>,
}

impl<'a> Members<'a> {
    const NONE: Self =
        Self { alg: None, kid: None, typ: None, key_headers: KeyHeaders::NONE, forbidden: None };

    fn take(&mut self, name: Text<'a>, value: Value<'a>) {
        match &*name.to_str() {
            "alg" => self.alg = Some(value),
            "kid" => self.kid = Some(value),
            "typ" => self.typ = Some(value),
            "crit" => self.forbidden = self.forbidden.or(Some(reason::CRIT)),
            "b64" => self.forbidden = self.forbidden.or(Some(reason::B64)),
            other => {
                if let Some(header) = KeyHeader::named(other) {
                    self.key_headers = self.key_headers.with(header);
                }
            }
        }
    }

    fn judge(self) -> Result<JwsHeader, JwtRefused> {
        let algorithm = algorithm(self.alg)?;
        if let Some(refused) = self.forbidden {
            return Err(refused);
        }
        let (key_id, typ) = (key_id(self.kid)?, typ(self.typ)?);
        Ok(JwsHeader { algorithm, key_id, typ, key_headers: self.key_headers })
    }
}

fn algorithm(alg: Option<Value<'_>>) -> Result<JwsAlgorithm, JwtRefused> {
    let name = alg.ok_or(reason::ALG_MISSING)?.string().ok_or(reason::ALG_TYPE)?.to_str();
    if name.eq_ignore_ascii_case("none") {
        return Err(reason::ALG_NONE);
    }
    JwsAlgorithm::named(&name).ok_or(reason::ALG_UNKNOWN)
}

fn key_id(kid: Option<Value<'_>>) -> Result<Option<Box<str>>, JwtRefused> {
    let Some(kid) = kid else { return Ok(None) };
    let kid = kid.string().ok_or(reason::KID_TYPE)?.to_str();
    if kid.len() > JwsHeader::MOST_KEY_ID_BYTES {
        return Err(reason::KID_LONG);
    }
    Ok(Some(kid.into()))
}

fn typ(typ: Option<Value<'_>>) -> Result<Typ, JwtRefused> {
    let Some(typ) = typ else { return Ok(Typ::Absent) };
    let typ = typ.string().ok_or(reason::TYP_TYPE)?.to_str();
    Ok(if typ.eq_ignore_ascii_case(JWT) { Typ::Jwt } else { Typ::Other(typ.into()) })
}

fn same_type(found: &str, expected: &str) -> bool {
    short(found).eq_ignore_ascii_case(short(expected))
}

/// Without `application/`, where nothing behind it has a slash (RFC 7515 section 4.1.9).
fn short(media_type: &str) -> &str {
    match media_type.split_once('/') {
        Some((top, rest)) if top.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::encoded;

    #[track_caller]
    fn check(json: &str, expected: Result<(JwsAlgorithm, Option<&str>, Option<&str>), JwtRefused>) {
        let header = JwsHeader::parse(&encoded(json));
        let read = header
            .as_ref()
            .map(|header| (header.algorithm(), header.key_id(), header.token_type()));
        assert_eq!(read.map_err(|refused| *refused), expected, "{json}");
    }

    #[test]
    fn reads_alg_kid_and_typ_and_ignores_what_is_harmless() {
        let hs256 = JwsAlgorithm::HS256;
        check(r#"{"alg":"HS256"}"#, Ok((hs256, None, None)));
        check(r#"{"typ":"jwt","alg":"HS256"}"#, Ok((hs256, None, Some("JWT"))));
        check(
            r#"{"alg":"RS512","kid":"a","typ":"at+jwt"}"#,
            Ok((JwsAlgorithm::RS512, Some("a"), Some("at+jwt"))),
        );
        check(r#"{"alg":"HS\u003256","kid":"\u0000"}"#, Ok((hs256, Some("\0"), None)));
        check(
            r#"{"alg":"HS256","kid":"../../key' OR 1=1","cty":"x","extra":[{}],"zip":1}"#,
            Ok((hs256, Some("../../key' OR 1=1"), None)),
        );
        for algorithm in JwsAlgorithm::ALL {
            check(&format!(r#"{{"alg":"{algorithm}"}}"#), Ok((algorithm, None, None)));
        }
    }

    #[test]
    fn a_usual_header_is_read_as_any_other() {
        for name in JwsAlgorithm::ALL
            .map(JwsAlgorithm::name)
            .into_iter()
            .chain(["none", "HS255", "ES512", "HS\\u003"])
        {
            for usual in [
                format!(r#"{{"alg":"{name}","typ":"JWT"}}"#),
                format!(r#"{{"typ":"JWT","alg":"{name}"}}"#),
                format!(r#"{{"alg":"{name}"}}"#),
            ] {
                let read = |json: &str| format!("{:?}", JwsHeader::read(json.as_bytes()));
                assert_eq!(read(&usual), read(&format!("{usual} ")));
                let known = JwsAlgorithm::named(name).is_some();
                assert_eq!(JwsHeader::usual(usual.as_bytes()).is_some(), known, "{usual}");
                for (at, byte) in usual.bytes().enumerate() {
                    let mut other = usual.clone().into_bytes();
                    other[at] = byte ^ 1;
                    let read = |json: &[u8]| format!("{:?}", JwsHeader::read(json));
                    assert_eq!(read(&other), read(&[&other[..], b" "].concat()));
                }
            }
        }
    }

    #[test]
    fn refuses_algorithms_that_are_none_or_not_known() {
        check("{}", Err(reason::ALG_MISSING));
        for other in ["null", "1", "[\"HS256\"]", "{}", "true"] {
            check(&format!(r#"{{"alg":{other}}}"#), Err(reason::ALG_TYPE));
        }
        for case in 0..16 {
            let none: String = "none"
                .chars()
                .enumerate()
                .map(
                    |(at, letter)| {
                        if case >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
                    },
                )
                .collect();
            check(&format!(r#"{{"alg":"{none}"}}"#), Err(reason::ALG_NONE));
        }
        check(r#"{"alg":"\u006eone"}"#, Err(reason::ALG_NONE));
        for unknown in ["", "hs256", "HS256 ", "ES512", "A128KW", "none "] {
            check(&format!(r#"{{"alg":"{unknown}"}}"#), Err(reason::ALG_UNKNOWN));
        }
    }

    #[test]
    fn refuses_extensions() {
        for (member, expected) in [
            ("\"crit\":[\"exp\"],\"exp\":1", reason::CRIT),
            ("\"crit\":[]", reason::CRIT),
            ("\"crit\":\"exp\"", reason::CRIT),
            ("\"crit\":[\"b64\"]", reason::CRIT),
            ("\"b64\":false", reason::B64),
            ("\"b64\":true", reason::B64),
            ("\"b64\":false,\"crit\":[\"b64\"]", reason::B64),
            ("\"jku\":1,\"crit\":[\"exp\"]", reason::CRIT),
        ] {
            check(&format!(r#"{{"alg":"HS256",{member}}}"#), Err(expected));
        }
    }

    #[test]
    fn refuses_members_of_another_type_or_too_long() {
        check(r#"{"alg":"HS256","kid":1}"#, Err(reason::KID_TYPE));
        check(r#"{"alg":"HS256","kid":null}"#, Err(reason::KID_TYPE));
        check(r#"{"alg":"HS256","typ":["JWT"]}"#, Err(reason::TYP_TYPE));
        let most = "k".repeat(JwsHeader::MOST_KEY_ID_BYTES);
        check(
            &format!(r#"{{"alg":"HS256","kid":"{most}"}}"#),
            Ok((JwsAlgorithm::HS256, Some(&most), None)),
        );
        check(&format!(r#"{{"alg":"HS256","kid":"{most}k"}}"#), Err(reason::KID_LONG));
    }

    #[test]
    fn refuses_what_is_no_strict_json_in_base64url() {
        check(r#"{"alg":"HS256","alg":"HS256"}"#, Err(reason::HEADER_DUPLICATE));
        check(r#"{"alg":"HS256","a":{"b":1,"b":1}}"#, Err(reason::HEADER_DUPLICATE));
        check(r#"{"alg":"HS256","a":[[[[[[[[]]]]]]]]}"#, Err(reason::HEADER_DEPTH));
        let wide: Vec<_> = (0..64).map(|at| format!("\"{at}\":1")).collect();
        check(&format!("{{\"alg\":\"HS256\",{}}}", wide.join(",")), Err(reason::HEADER_MEMBERS));
        check(r#"{"alg":"HS256",}"#, Err(reason::HEADER_JSON));
        check(r#"["HS256"]"#, Err(reason::HEADER_OBJECT));
        let refused = |text: &str| JwsHeader::parse(text).unwrap_err();
        assert_eq!(refused(&encoded(b"{\"alg\":\"\xff\"}")), reason::HEADER_UTF8);
        let good = encoded(r#"{"alg":"HS256"}"#);
        for wrong in
            [&format!("{good}="), &format!("{good}\n"), &good.replace('I', "/"), "A", "e31", "é"]
        {
            assert_eq!(refused(wrong), reason::HEADER_BASE64URL, "{wrong}");
        }
        let long = format!(r#"{{"alg":"HS256","a":"{}"}}"#, "a".repeat(SMALL));
        check(&long, Ok((JwsAlgorithm::HS256, None, None)));
        assert_eq!(refused(&format!("{}!", encoded(&long))), reason::HEADER_BASE64URL);
    }

    #[test]
    fn a_token_has_the_type_that_is_expected() {
        let header =
            |typ: &str| JwsHeader::parse(&encoded(format!(r#"{{"alg":"HS256"{typ}}}"#))).unwrap();
        for (typ, expected, agrees) in [
            ("", None, true),
            (",\"typ\":\"JWT\"", None, true),
            (",\"typ\":\"jWt\"", None, true),
            (",\"typ\":\"application/jwt\"", None, true),
            (",\"typ\":\"at+jwt\"", None, false),
            (",\"typ\":\"\"", None, false),
            ("", Some("at+jwt"), false),
            (",\"typ\":\"JWT\"", Some("at+jwt"), false),
            (",\"typ\":\"AT+JWT\"", Some("at+jwt"), true),
            (",\"typ\":\"application/at+jwt\"", Some("at+jwt"), true),
            (",\"typ\":\"at+jwt\"", Some("application/at+jwt"), true),
            (",\"typ\":\"text/at+jwt\"", Some("at+jwt"), false),
            (",\"typ\":\"JWT\"", Some("jwt"), true),
            ("", Some("JWT"), false),
        ] {
            let expected: Vec<Box<str>> = expected.into_iter().map(Into::into).collect();
            assert_eq!(header(typ).is_typed(&expected), agrees, "{typ} {expected:?}");
        }
    }
}
