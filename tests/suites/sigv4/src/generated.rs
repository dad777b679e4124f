//! Requests of every kind, the same in each run.

use auth_core::Random;
use auth_testing::SeededRandom;

/// One request, for a signer.
pub struct Generated {
    pub kind: &'static str,
    pub family: Family,
    pub method: &'static str,
    /// Path and query, such that an `http::Uri` takes them.
    pub target: String,
    /// Besides `host`.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub token: Option<&'static str>,
    pub place: Place,
}

/// Whose rules are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    S3,
    Generic,
}

/// Where the signature goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Field,
    Query,
}

impl Family {
    pub const ALL: [Self; 2] = [Self::S3, Self::Generic];

    pub const fn service(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Generic => "execute-api",
        }
    }
}

/// How many of each kind there are for each family: 100,000 and a few in all.
pub const EACH: usize = 2942;

const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE"];
const PLAIN: &[&str] = &["a", "B", "7", "-", ".x", "_", "~", "folder", "Report"];
const DOTS: &[&str] = &["", ".", "..", "a", "b.c", "...", ".d"];
const ESCAPES: &[&str] =
    &["%2F", "%2f", "%41", "%20", "%C3%A9", "%25", "%7E", "%2E", "%00", "%3D", "a", "b"];
const RESERVED: &[&str] =
    &["!", "$", "&", "'", "(", ")", "*", ",", ";", ":", "@", "[", "]", "|", "=", "a", "b"];
const WIDE: &[&str] = &["\u{e9}", "\u{4f60}\u{597d}", "\u{1f512}", "a", "b"];
const QUERY: &[&str] =
    &["!", "$", "'", "(", ")", "*", ",", ";", ":", "@", "[", "]", "|", "/", "?", "a", "b"];

type Make = fn(&mut Chance, &mut Generated);

const KINDS: [(&str, Make); 17] = [
    ("methods", |chance, made| made.method = chance.one(&METHODS)),
    ("path-plain", |chance, made| made.target = chance.path(PLAIN)),
    ("path-dots", |chance, made| made.target = chance.path(DOTS)),
    ("path-escapes", |chance, made| made.target = chance.path(ESCAPES)),
    ("path-reserved", |chance, made| made.target = chance.path(RESERVED)),
    ("path-utf-8", |chance, made| made.target = chance.path(WIDE)),
    ("query-plain", |chance, made| made.target = chance.query(PLAIN)),
    ("query-repeated-or-empty", |chance, made| made.target = chance.query(&["", "a", "b"])),
    ("query-escapes", |chance, made| made.target = chance.query(ESCAPES)),
    ("query-reserved", |chance, made| made.target = chance.query(QUERY)),
    ("query-plus", |chance, made| made.target = chance.query(&["+", "a", "%2B"])),
    ("query-utf-8", |chance, made| made.target = chance.query(WIDE)),
    ("fields-repeated", |chance, made| {
        for _ in 0..=chance.below(5) {
            let name = chance.one(&["x-list", "X-List", "x-other", "content-language"]);
            made.headers.push((name.to_owned(), chance.text(PLAIN)));
        }
    }),
    ("fields-spaces", |chance, made| {
        for name in ["x-spaces", "content-type"] {
            let value = chance.text(&[" ", "  ", "a", "b", ";", "=", "\"", ","]);
            made.headers.push((name.to_owned(), value));
        }
    }),
    ("session-token", |chance, made| {
        made.token = Some("AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW+==");
        made.target = chance.query(PLAIN);
    }),
    ("payloads", |chance, made| {
        made.method = "PUT";
        made.body = (0..chance.below(300)).map(|_| chance.byte()).collect();
    }),
    ("presigned", |chance, made| {
        made.place = Place::Query;
        made.target = if chance.below(2) == 0 { chance.path(PLAIN) } else { chance.query(PLAIN) };
    }),
];

/// All of them, kind by kind.
pub fn all() -> impl Iterator<Item = Generated> {
    KINDS.into_iter().flat_map(|(kind, make)| {
        let mut chance = Chance(SeededRandom::new(0x5167));
        Family::ALL.into_iter().flat_map(move |family| {
            let made: Vec<Generated> = (0..EACH)
                .map(|_| {
                    let mut made = Generated {
                        kind,
                        family,
                        method: "GET",
                        target: String::from("/"),
                        headers: Vec::new(),
                        body: Vec::new(),
                        token: None,
                        place: Place::Field,
                    };
                    make(&mut chance, &mut made);
                    made
                })
                .collect();
            made
        })
    })
}

struct Chance(SeededRandom);

impl Chance {
    fn byte(&self) -> u8 {
        let mut byte = [0];
        // It cannot fail: it draws from a seed.
        let _ = self.0.fill(&mut byte);
        byte[0]
    }

    fn below(&self, most: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % most
    }

    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Up to five of them.
    fn text(&self, of: &[&str]) -> String {
        (0..self.below(6)).map(|_| self.one(of)).collect()
    }

    /// Up to five segments.
    fn path(&self, of: &[&str]) -> String {
        let segments: Vec<String> = (0..=self.below(5)).map(|_| self.text(of)).collect();
        let path = format!("/{}", segments.join("/"));
        // Two at the front are the authority of a target without a scheme.
        format!("/{}", path.trim_start_matches('/'))
    }

    /// Up to eight parameters, some without a value.
    fn query(&self, of: &[&str]) -> String {
        let parameters: Vec<String> = (0..=self.below(8))
            .map(|_| match self.below(5) {
                0 => self.text(of),
                _ => format!("{}={}", self.text(of), self.text(of)),
            })
            .collect();
        format!("/?{}", parameters.join("&"))
    }
}
