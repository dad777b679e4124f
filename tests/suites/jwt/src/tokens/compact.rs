//! The text of a token: its dots, its base64url, and what may stand around it.

use super::Meant::{Accepted, Refused, RefusedAnyhow};
use super::make::{Made, Maker, encode};
use super::{Meant, Recipe, recipe};

/// What is done to a good token.
type Change = (&'static str, Meant, fn(&str) -> String);

const CHANGES: &[Change] = &[
    ("text-empty", Refused("jwt_parts"), |_| String::new()),
    ("text-two-dots", Refused("jwt_header_object"), |_| "..".into()),
    ("text-one-part", Refused("jwt_parts"), |good| good.replace('.', "")),
    ("text-two-parts", Refused("jwt_parts"), |good| {
        good.rsplit_once('.').unwrap_or_default().0.into()
    }),
    ("text-four-parts", Refused("jwt_parts"), |good| format!("{good}.e30")),
    ("text-five-parts", Refused("jwt_encrypted"), |good| format!("{good}.e30.e30")),
    ("text-trailing-dot", Refused("jwt_parts"), |good| format!("{good}.")),
    ("text-leading-dot", Refused("jwt_parts"), |good| format!(".{good}")),
    ("text-doubled-dot", Refused("jwt_parts"), |good| good.replacen('.', "..", 1)),
    ("text-parts-swapped", Refused("jwt_alg_missing"), |good| {
        let mut parts: Vec<&str> = good.split('.').collect();
        parts.swap(0, 1);
        parts.join(".")
    }),
    ("text-space-before", Refused("jwt_header_base64url"), |good| format!(" {good}")),
    ("text-space-after", Refused("jwt_signature_base64url"), |good| format!("{good} ")),
    ("text-newline-after", Refused("jwt_signature_base64url"), |good| format!("{good}\n")),
    ("text-tab-after", Refused("jwt_signature_base64url"), |good| format!("{good}\t")),
    ("text-nul-after", Refused("jwt_signature_base64url"), |good| format!("{good}\0")),
    ("text-quoted", Refused("jwt_header_base64url"), |good| format!("\"{good}\"")),
    ("text-with-bearer", Refused("jwt_header_base64url"), |good| format!("Bearer {good}")),
    ("text-percent-encoded-dots", Refused("jwt_parts"), |good| good.replace('.', "%2E")),
    ("text-other-dots", Refused("jwt_parts"), |good| good.replace('.', "\u{ff0e}")),
    ("text-comma-joined", Refused("jwt_encrypted"), |good| format!("{good},{good}")),
    ("text-lower-case", RefusedAnyhow, str::to_lowercase),
    ("text-json-flattened", Refused("jwt_parts"), |good| {
        let parts: Vec<&str> = good.split('.').collect();
        format!(
            r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#,
            parts[0], parts[1], parts[2]
        )
    }),
    ("text-json-general", Refused("jwt_parts"), |good| {
        let parts: Vec<&str> = good.split('.').collect();
        let [protected, payload, signature] = [parts[0], parts[1], parts[2]];
        format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#
        )
    }),
];

/// What is done to one part of a token; nothing where that part does not lend itself to it.
type PartChange = fn(&mut Maker<'_>, &str) -> Option<String>;

/// Parts that were changed after they were signed: the header, the payload, the signature.
const TAMPERED: &[(&[&str], PartChange)] = &[
    (&["flip-header", "flip-payload", "flip-signature"], flip),
    (&["bit-header", "bit-payload", "bit-signature"], bit),
    (&["letter-more-header", "letter-more-payload", "letter-more-signature"], |_, part| {
        Some(format!("{part}A"))
    }),
    (&["letter-less-header", "letter-less-payload", "letter-less-signature"], |_, part| {
        part.get(..part.len() - 1).map(str::to_owned)
    }),
    (&["respelt-header", "respelt-payload"], trailing_bits),
];

/// Texts that are not base64url, or not the one text for their bytes, signed as they stand.
const MISSPELT: &[(&[&str], PartChange)] = &[
    (&["empty-header", "empty-payload", "empty-signature"], |_, _| Some(String::new())),
    (&["trailing-bits-header", "trailing-bits-payload", "trailing-bits-signature"], trailing_bits),
    (&["padding-header", "padding-payload", "padding-signature"], |_, part| {
        (part.len() % 4 != 0).then(|| format!("{part}{}", &"=="[..4 - part.len() % 4]))
    }),
    (&["padding-alone-header", "padding-alone-payload", "padding-alone-signature"], |_, part| {
        (part.len() % 4 == 0).then(|| format!("{part}===="))
    }),
    (&["standard-header", "standard-payload", "standard-signature"], |_, part| {
        let standard = part.replace('-', "+").replace('_', "/");
        (standard != part).then_some(standard)
    }),
    (&["space-in-header", "space-in-payload", "space-in-signature"], |maker, part| {
        Some(insert(maker, part, ' '))
    }),
    (&["newline-in-header", "newline-in-payload", "newline-in-signature"], |maker, part| {
        Some(insert(maker, part, '\n'))
    }),
    (&["newline-after-header", "newline-after-payload", "newline-after-signature"], |_, part| {
        Some(format!("{part}\n"))
    }),
    (&["question-in-header", "question-in-payload", "question-in-signature"], |maker, part| {
        Some(insert(maker, part, '?'))
    }),
    (&["accent-in-header", "accent-in-payload", "accent-in-signature"], |maker, part| {
        Some(insert(maker, part, '\u{e9}'))
    }),
];

/// When a part is changed.
#[derive(Clone, Copy)]
enum Order {
    SignedFirst,
    ChangedFirst,
}

pub(super) fn recipes() -> Vec<Recipe> {
    let changes = CHANGES.iter().map(|&(kind, meant, change)| {
        recipe(kind, meant, move |maker| Some(change(&maker.good())))
    });
    let of = |(kinds, change): &(&'static [&'static str], PartChange), order, reasons: [_; 3]| {
        let change = *change;
        let kinds: Vec<_> = kinds.iter().copied().zip(reasons).enumerate().collect();
        kinds.into_iter().map(move |(at, (kind, meant))| {
            recipe(kind, meant, move |maker| in_part(maker, at, order, change))
        })
    };
    let broken = [RefusedAnyhow; 3];
    let misspelt = [
        Refused("jwt_header_base64url"),
        Refused("jwt_payload_base64url"),
        Refused("jwt_signature_base64url"),
    ];
    let empty =
        [Refused("jwt_header_object"), Refused("jwt_claims_object"), Refused("jwt_signature")];
    let parts: Vec<Recipe> = TAMPERED
        .iter()
        .flat_map(|row| of(row, Order::SignedFirst, broken))
        .chain(MISSPELT[..1].iter().flat_map(|row| of(row, Order::ChangedFirst, empty)))
        .chain(MISSPELT[1..].iter().flat_map(|row| of(row, Order::ChangedFirst, misspelt)))
        .collect();
    changes.chain(parts).chain(exchanged()).chain(sizes()).collect()
}

/// Tries good tokens until one has a part that the change can be made to. None has where the length of a signature is
/// the algorithm's.
fn in_part(maker: &mut Maker<'_>, at: usize, order: Order, change: PartChange) -> Made {
    (0..12).find_map(|_| {
        let mut parts = [varied_header(maker), varied_claims(maker)].map(encode);
        let signed = parts.join(".");
        if let Some(part) = parts.get_mut(at) {
            *part = change(maker, part)?;
        }
        let text = parts.join(".");
        let message = match order {
            Order::SignedFirst => &signed,
            Order::ChangedFirst => &text,
        };
        let signature = encode(maker.key.sign(message.as_bytes()));
        let signature = if at == 2 { change(maker, &signature)? } else { signature };
        Some(format!("{text}.{signature}"))
    })
}

/// A header of any length, with bytes that base64url has other letters for than base64.
fn varied_header(maker: &mut Maker<'_>) -> String {
    let kid = varied(maker);
    maker.header_with(&format!(r#""kid":"{kid}""#))
}

fn varied_claims(maker: &mut Maker<'_>) -> String {
    let text = varied(maker);
    maker.claims_with("text", &format!(r#""{text}""#))
}

fn varied(maker: &mut Maker<'_>) -> String {
    let word = maker.random.word();
    format!("{word}??>>~~\u{3f}\u{fe}\u{ff}")
}

/// Another letter of the alphabet, but in the last place, whose bits may mean nothing.
fn flip(maker: &mut Maker<'_>, part: &str) -> Option<String> {
    let place = maker.random.below(part.len() as u64 - 1) as usize;
    let mut letters = part.as_bytes().to_vec();
    let others = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    while letters[place] == part.as_bytes()[place] {
        letters[place] = maker.random.of_these(others);
    }
    String::from_utf8(letters).ok()
}

/// One bit of the text, whatever that makes of it within ASCII.
fn bit(maker: &mut Maker<'_>, part: &str) -> Option<String> {
    let place = maker.random.below(part.len() as u64 - 1) as usize;
    let mut letters = part.as_bytes().to_vec();
    letters[place] ^= 1 << maker.random.below(7);
    String::from_utf8(letters).ok()
}

/// The last letter with bits that belong to no byte (RFC 4648 section 3.5).
fn trailing_bits(maker: &mut Maker<'_>, part: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let unused = match part.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return None,
    };
    let last = ALPHABET.iter().position(|letter| part.as_bytes().last() == Some(letter))?;
    let bits = 1 + maker.random.below((1 << unused) - 1) as usize;
    let letter = char::from(*ALPHABET.get(last | bits)?);
    Some(format!("{}{letter}", part.get(..part.len() - 1)?))
}

fn insert(maker: &mut Maker<'_>, part: &str, letter: char) -> String {
    let mut text = part.to_owned();
    text.insert(1 + maker.random.below(part.len() as u64 - 1) as usize, letter);
    text
}

/// A part of another good token of the same key.
fn exchanged() -> impl Iterator<Item = Recipe> {
    ["header-of-another-token", "payload-of-another-token", "signature-of-another-token"]
        .into_iter()
        .enumerate()
        .map(|(at, kind)| {
            recipe(kind, Refused("jwt_signature"), move |maker| {
                let good = maker.good();
                let header = maker.header_with(r#""kid":"another""#);
                let payload = maker.claims_with("exp", "2000009000");
                let another = maker.sign(header, payload);
                let mut parts: Vec<&str> = good.split('.').collect();
                parts[at] = another.split('.').nth(at)?;
                Some(parts.join("."))
            })
        })
}

/// Tokens of exactly the most bytes that there may be, and of more.
fn sizes() -> impl Iterator<Item = Recipe> {
    [
        ("size-8192", Accepted, 8192),
        ("size-8193", Refused("jwt_size"), 8193),
        ("size-65536", Refused("jwt_size"), 65_536),
    ]
    .into_iter()
    .map(|(kind, meant, size)| recipe(kind, meant, move |maker| of_size(maker, size)))
}

/// A header and a payload whose lengths in base64url add up to this, with the signature.
fn of_size(maker: &mut Maker<'_>, size: usize) -> Made {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    let good = maker.good();
    let rest = good.rsplit('.').next()?.len() + 2;
    let payload = maker.payload();
    let inner = payload.strip_suffix('}')?;
    (0..3).find_map(|more| {
        let header = maker.header_with(&format!(r#""kid":"{}""#, "x".repeat(more)));
        let room = size.checked_sub(rest + encoded(header.len()))?;
        let filler = (room * 3 / 4).checked_sub(inner.len() + r#","x":""}"#.len())?;
        let text = format!("{inner},\"x\":\"{}\"}}", "x".repeat(filler));
        (encoded(text.len()) == room).then(|| maker.sign(header, text))
    })
}
