//! The examples that the RFCs print: what our client answers, what our verifier's arithmetic says, what is written.

use auth_digest::{
    BodyHash, DigestAlgorithm, DigestChallenge, DigestMessage, DigestProtection, DigestResponse,
    Ha1, NonceCount, NonceUse, userhash,
};
use conformance::{Compared, compare};

/// One example.
struct Example {
    id: &'static str,
    challenge: &'static str,
    /// What stands behind `Digest ` in the answer.
    answer: &'static str,
    user: &'static str,
    password: &'static str,
    response: &'static str,
}

const EXAMPLES: [Example; 5] = [
    Example {
        id: "7616-3.9.1-md5",
        challenge: r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        answer: r#"username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        user: "Mufasa",
        password: "Circle of Life",
        response: "8ca523f5e9506fed4657c9700eebdbec",
    },
    Example {
        id: "7616-3.9.1-sha-256",
        challenge: r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        answer: r#"username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        user: "Mufasa",
        password: "Circle of Life",
        response: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    },
    // The RFC printed what a faulty SHA-512/256 made; these are the values of its erratum 4897.
    Example {
        id: "7616-3.9.2-sha-512-256",
        challenge: r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true"#,
        answer: r#"username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", userhash=true"#,
        user: "J\u{e4}s\u{f8}n Doe",
        password: "Secret, or not?",
        response: "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    },
    Example {
        id: "2617-3.5",
        challenge: r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        answer: r#"username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        user: "Mufasa",
        password: "Circle Of Life",
        response: "6629fae49393a05397450978507c4ef1",
    },
    // The RFC printed another response; this is the value of its erratum 749.
    Example {
        id: "2069-2.4",
        challenge: r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        answer: r#"username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        user: "Mufasa",
        password: "CircleOfLife",
        response: "1949323746fe6a43ef61f9606e7febea",
    },
];

pub fn examples() -> Vec<Compared> {
    EXAMPLES.iter().flat_map(|example| [example.answered(), example.verified()]).collect()
}

impl Example {
    /// The response to the challenge, with the cnonce that the example has.
    fn answered(&self) -> Compared {
        let made = || {
            let challenge = DigestChallenge::parse(self.challenge.as_bytes()).ok()?;
            let answer = DigestResponse::parse(self.answer.as_bytes()).ok()?;
            let algorithm = challenge.algorithm()?;
            let cnonce = answer.counted.as_ref().map(|counted| &*counted.cnonce);
            let ha1 = Ha1::new(
                algorithm.function(),
                self.user,
                &challenge.realm,
                self.password.as_bytes(),
            );
            let session = ha1.session(algorithm, &challenge.nonce, cnonce.unwrap_or_default());
            let protection = cnonce.map_or(DigestProtection::Legacy, |cnonce| {
                DigestProtection::Auth(NonceUse { nc: NonceCount::FIRST, cnonce })
            });
            let message = DigestMessage {
                method: "GET",
                uri: &answer.uri,
                nonce: &challenge.nonce,
                protection,
            };
            let response = session.response(&message);
            let user = if challenge.userhash {
                let hashed = userhash(algorithm.function(), self.user, &challenge.realm);
                String::from_utf8_lossy(hashed.as_bytes()).into_owned()
            } else {
                self.user.to_owned()
            };
            Some(format!("{user} {}", String::from_utf8_lossy(response.as_bytes())))
        };
        let name = between(self.answer, "username=\"");
        let expected = format!("{name} {}", self.response);
        let actual = made().unwrap_or_else(|| "a field that is not read".into());
        compare(format!("{}-client", self.id), expected, actual)
    }

    /// The answer that the example prints, held against its password and against another one.
    fn verified(&self) -> Compared {
        let judge = |password: &str| {
            let answer = DigestResponse::parse(self.answer.as_bytes()).ok()?;
            let algorithm: DigestAlgorithm = answer.algorithm();
            let function = algorithm.function();
            let cnonce = answer.counted.as_ref().map(|counted| &*counted.cnonce);
            let session = Ha1::new(function, self.user, &answer.realm, password.as_bytes())
                .session(algorithm, &answer.nonce, cnonce.unwrap_or_default());
            let message = answer.message("GET", Some(BodyHash::of(function, b"")))?;
            Some(session.response(&message).matches(answer.response))
        };
        let said = |password| {
            judge(password).map_or("unread", |same| if same { "right" } else { "wrong" })
        };
        let actual = format!("{}, {}", said(self.password), said("guess"));
        compare(format!("{}-server", self.id), "right, wrong", actual)
    }
}

/// What stands between this and the next quotation mark.
fn between<'a>(text: &'a str, begin: &str) -> &'a str {
    text.split(begin).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}
