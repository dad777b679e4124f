//! Signatures that are not those of the token, and one that is though it was not made by the signer.

use super::Meant::{Accepted, Refused};
use super::make::{Maker, encode, signed};
use super::{Meant, Recipe, recipe};

/// What is done to the bytes of a good signature.
type Change = (&'static str, Meant, fn(&Maker<'_>, Vec<u8>) -> Option<Vec<u8>>);

const CHANGES: &[Change] = &[
    ("signature-zeros", Refused("jwt_signature"), |_, good| Some(vec![0; good.len()])),
    ("signature-ones", Refused("jwt_signature"), |_, good| Some(vec![255; good.len()])),
    ("signature-first-half", Refused("jwt_signature"), |_, good| {
        Some(good[..good.len() / 2].to_vec())
    }),
    ("signature-one-byte", Refused("jwt_signature"), |_, good| Some(good[..1].to_vec())),
    ("signature-twice", Refused("jwt_signature"), |_, good| {
        Some([good.as_slice(), good.as_slice()].concat())
    }),
    ("signature-reversed", Refused("jwt_signature"), |_, good| {
        Some(good.into_iter().rev().collect())
    }),
    ("signature-zero-before", Refused("jwt_signature"), |_, good| {
        Some([&[0], good.as_slice()].concat())
    }),
    ("signature-zero-after", Refused("jwt_signature"), |_, good| {
        Some([good.as_slice(), &[0]].concat())
    }),
    ("signature-last-byte-less", Refused("jwt_signature"), |_, good| {
        Some(good[..good.len() - 1].to_vec())
    }),
    ("signature-as-text", Refused("jwt_signature"), |_, good| Some(encode(good).into_bytes())),
    ("ecdsa-der", Refused("jwt_signature"), |maker, good| ecdsa(maker, &good, der)),
    ("ecdsa-zero-r", Refused("jwt_signature"), |maker, good| {
        ecdsa(maker, &good, |r, s| [vec![0; r.len()], s.to_vec()].concat())
    }),
    ("ecdsa-zero-s", Refused("jwt_signature"), |maker, good| {
        ecdsa(maker, &good, |r, s| [r.to_vec(), vec![0; s.len()]].concat())
    }),
    ("ecdsa-swapped", Refused("jwt_signature"), |maker, good| {
        ecdsa(maker, &good, |r, s| [s, r].concat())
    }),
    ("ecdsa-padded", Refused("jwt_signature"), |maker, good| {
        ecdsa(maker, &good, |r, s| [&[0], r, &[0], s].concat())
    }),
    // (r, n - s) is as valid a signature as (r, s).
    ("ecdsa-other-s", Accepted, |maker, good| {
        ecdsa(maker, &good, |r, s| {
            [r.to_vec(), less(if s.len() == 32 { ORDER_P256 } else { ORDER_P384 }, s)].concat()
        })
    }),
];

/// The orders of the groups (SEC 2 sections 2.4.2 and 2.5.1).
const ORDER_P256: &[u8] = b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\
    \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
const ORDER_P384: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf\
    \x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73";

pub(super) fn recipes() -> Vec<Recipe> {
    let changes = CHANGES.iter().map(|&(kind, meant, change)| {
        recipe(kind, meant, move |maker| {
            let (header, payload) = (maker.header(), maker.payload());
            let message = format!("{}.{}", encode(&header), encode(&payload));
            let signature = change(maker, maker.key.sign(message.as_bytes()))?;
            Some(signed(header, payload, |_| signature))
        })
    });
    changes
        .chain([
            recipe("signature-of-another-key", Refused("jwt_signature"), |maker| {
                let (header, payload) = (maker.header(), maker.payload());
                Some(signed(header, payload, |message| maker.other.sign(message)))
            }),
            recipe("signature-of-another-key-under-this-kid", Refused("jwt_signature"), |maker| {
                let kid = format!("\"kid\":{}", maker.key.jwk["kid"]);
                let (header, payload) = (maker.header_with(&kid), maker.payload());
                Some(signed(header, payload, |message| maker.other.sign(message)))
            }),
            recipe("signature-of-the-payload", Refused("jwt_signature"), |maker| {
                let (header, payload) = (maker.header(), maker.payload());
                let signature = maker.key.sign(encode(&payload).as_bytes());
                Some(signed(header, payload, |_| signature))
            }),
            recipe("signature-of-what-is-decoded", Refused("jwt_signature"), |maker| {
                let (header, payload) = (maker.header(), maker.payload());
                let signature = maker.key.sign(format!("{header}.{payload}").as_bytes());
                Some(signed(header, payload, |_| signature))
            }),
            // RFC 7797: the payload as it is, which only a verifier that understands `b64` may take.
            recipe("signature-of-unencoded-payload", Refused("jwt_crit"), |maker| {
                let header = maker.header_with(r#""crit":["b64"],"b64":false"#);
                let payload = maker.payload();
                let message = format!("{}.{payload}", encode(&header));
                let signature = maker.key.sign(message.as_bytes());
                Some(signed(header, payload, |_| signature))
            }),
            recipe("text-of-unencoded-payload", Refused("jwt_crit"), |maker| {
                let header = encode(maker.header_with(r#""crit":["b64"],"b64":false"#));
                let payload = maker.payload().replace('.', "");
                let message = format!("{header}.{payload}");
                Some(format!("{message}.{}", encode(maker.key.sign(message.as_bytes()))))
            }),
        ])
        .collect()
}

fn ecdsa(
    maker: &Maker<'_>,
    good: &[u8],
    change: impl Fn(&[u8], &[u8]) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let (r, s) = good.split_at(good.len() / 2);
    maker.algorithm().starts_with("ES").then(|| change(r, s))
}

/// A SEQUENCE of two INTEGERs, as most programs outside JOSE have it.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut bytes = number[zeros.min(number.len() - 1)..].to_vec();
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        [vec![2, bytes.len() as u8], bytes].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [vec![0x30, both.len() as u8], both].concat()
}

/// The difference of two numbers of the same length, of which the first is larger.
fn less(from: &[u8], number: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut difference: Vec<u8> = from
        .iter()
        .zip(number)
        .rev()
        .map(|(a, b)| {
            let (once, first) = a.overflowing_sub(*b);
            let (twice, second) = once.overflowing_sub(u8::from(borrow));
            borrow = first || second;
            twice
        })
        .collect();
    difference.reverse();
    difference
}
