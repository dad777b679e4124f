use super::*;
use auth_core::SystemRandom;
use auth_testing::SeededRandom;
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};

/// Its checksum was computed by zlib through Python.
const TOKEN: &str = "sk_live_0123456789ab_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456_4XJ20r";

fn generate(prefix: &str, environment: &str, seed: u64) -> TokenText {
    TokenFormat::new(prefix, environment).unwrap().generate(&SeededRandom::new(seed)).unwrap()
}

fn token() -> impl Strategy<Value = TokenText> {
    let label = "[a-z0-9]{2,8}";
    (label, label, any::<u64>())
        .prop_map(|(prefix, environment, seed)| generate(&prefix, &environment, seed))
}

#[track_caller]
fn check(text: impl AsRef<[u8]>, expected: Result<(&str, &str, &str), &str>) {
    let parsed = ParsedToken::parse(&text);
    let read = parsed.map(|token| (token.prefix(), token.environment(), token.id()));
    assert_eq!(read.map_err(|reason| reason.code), expected, "{}", text.as_ref().escape_ascii());
}

#[test]
fn reads_its_own_form_and_the_checksum_of_zlib() {
    check(TOKEN, Ok(("sk", "live", "0123456789ab")));
    assert_eq!(checksum(b""), *b"000000", "as long as any other");
    let wrong = Err("lifecycle_token_checksum");
    check(TOKEN.replace("sk_", "ks_"), wrong);
    check(TOKEN.replace("live", "test"), wrong);
    check(TOKEN.replace("ABC", "ACB"), wrong);
    check(TOKEN.replace("0123456_", "0123456_zzzzzz").split_at(TOKEN.len()).0, wrong);
}

#[test]
fn nothing_else_has_the_form() {
    let long = "x".repeat(1 << 20);
    let [cut, behind, without_prefix] =
        [TOKEN.strip_suffix('r'), TOKEN.strip_prefix('s'), TOKEN.strip_prefix("sk")]
            .map(Option::unwrap);
    for foreign in [
        "",
        "_",
        "____",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        &TOKEN.replace("sk_", "s_"),
        &TOKEN.replace("sk_", "ninechars_"),
        &TOKEN.replace("sk_", "Sk_"),
        &TOKEN.replace("live", "li-e"),
        &TOKEN.replace("9ab", "9a"),
        &TOKEN.replace("9ab", "9abc"),
        &TOKEN.replace("9ab", "9\u{e9}"),
        &TOKEN.replace("XYZ", "XY"),
        &TOKEN.replace("XYZ", "XY\u{2028}"),
        &TOKEN.replace("XYZ", "X+Z"),
        cut,
        behind,
        without_prefix,
        &TOKEN.replace("_4XJ", "_x_4XJ"),
        &format!("{TOKEN}0"),
        &format!(" {TOKEN}"),
        &format!("{TOKEN}\n"),
        &format!("sk_{TOKEN}"),
        &format!("{TOKEN}_{TOKEN}"),
        &long,
    ] {
        check(foreign, Err("lifecycle_token_foreign"));
        assert_eq!(masked_token(foreign), "........");
    }
    check(b"sk_live_\xff\xfe", Err("lifecycle_token_foreign"));
}

#[test]
fn prefix_and_environment_are_short_lower_case_labels() {
    for (prefix, environment, expected) in [
        ("sk", "live", Ok(())),
        ("12345678", "t1", Ok(())),
        ("s", "live", Err("lifecycle_token_prefix")),
        ("", "live", Err("lifecycle_token_prefix")),
        ("123456789", "live", Err("lifecycle_token_prefix")),
        ("SK", "live", Err("lifecycle_token_prefix")),
        ("s_k", "live", Err("lifecycle_token_prefix")),
        ("s\u{e9}", "live", Err("lifecycle_token_prefix")),
        ("sk", "l", Err("lifecycle_token_environment")),
        ("sk", "li ve", Err("lifecycle_token_environment")),
        ("sk", "production", Err("lifecycle_token_environment")),
    ] {
        let made = TokenFormat::new(prefix, environment);
        let code = made.as_ref().map(|_| ()).map_err(Error::code);
        assert_eq!(code, expected, "{prefix} {environment}");
        if let Err(error) = made {
            let field = error.code().trim_start_matches("lifecycle_token_");
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}

#[test]
fn reading_allocates_nothing_whatever_was_presented() {
    let long = "x".repeat(1 << 16);
    for presented in [TOKEN, &TOKEN.replace("live", "test"), "a key", &long] {
        let allocations = allocation_counter::measure(|| {
            let _ = ParsedToken::parse(presented);
        });
        assert_eq!(allocations.count_total, 0, "{} bytes", presented.len());
    }
}

#[test]
fn the_longest_token_fits() {
    let token = generate("12345678", "abcdefgh", 1);
    assert_eq!(token.expose().len(), MOST_BYTES);
    assert!(ParsedToken::parse(token.expose()).is_ok());
}

#[test]
fn a_token_is_of_its_own_format_alone() {
    let token = generate("sk", "live", 1);
    let parsed = ParsedToken::parse(token.expose()).unwrap();
    for (prefix, environment, expected) in
        [("sk", "live", true), ("sk", "test", false), ("pk", "live", false), ("live", "sk", false)]
    {
        let format = TokenFormat::new(prefix, environment).unwrap();
        assert_eq!(parsed.is_of(&format), expected, "{prefix} {environment}");
    }
}

#[test]
fn neither_debug_nor_a_mask_shows_the_secret() {
    let token = generate("sk", "live", 7);
    let (id, whole) = (String::from(token.id()), String::from(token.expose()));
    let secret = whole.split('_').nth(3).unwrap();
    assert_eq!(format!("{token:?}"), format!("TokenText(sk_live_{id}_..)"));
    assert_eq!(masked_token(&whole), format!("sk_live_....{}", id.split_at(8).1));
    let parsed = format!("{:?}", ParsedToken::parse(&whole).unwrap());
    assert!(parsed.contains(&id) && !parsed.contains(secret), "{parsed}");
    assert_eq!(masked_token(&whole.replace(secret, "wrong")), "........");
    assert!(token.into_secret().matches(whole.as_bytes()));
}

#[test]
fn the_text_is_never_moved_while_it_is_made() {
    for (prefix, environment) in [("sk", "live"), ("12345678", "abcdefgh")] {
        assert_eq!(generate(prefix, environment, 1).text.capacity(), MOST_BYTES);
    }
}

/// A chi-squared test over a hundred thousand characters: with 61 degrees of freedom, more than 120 has a chance of about
/// 10^-5. The remainder of a byte divided by 62, which is a common mistake, gives about 700.
#[test]
fn each_character_is_as_likely_as_any_other() {
    let mut counts = [0_u32; 256];
    let mut text = String::new();
    let random = SeededRandom::new(3);
    (0..4000).for_each(|_| push_random(&mut text, 25, &random).unwrap());
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let expected = 100_000.0 / 62.0;
    let squares = DIGITS.iter().map(|digit| {
        let distance = f64::from(counts[usize::from(*digit)]) - expected;
        distance * distance / expected
    });
    let squares: f64 = squares.sum();
    assert!(squares < 120.0, "{squares}");
}

#[test]
fn tokens_differ() {
    let format = TokenFormat::new("sk", "live").unwrap();
    let random = SystemRandom::new();
    let made = (0..1000).map(|_| format.generate(&random).unwrap());
    let parts: BTreeSet<_> = made
        .flat_map(|token| {
            let mut parts = token.expose().split('_').skip(2).map(String::from);
            [parts.next().unwrap(), parts.next().unwrap()]
        })
        .collect();
    assert_eq!(parts.len(), 2000, "ids and secrets");
}

struct Stuck(u8);

impl Random for Stuck {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(self.0);
        Ok(())
    }
}

struct Empty;

impl Random for Empty {
    fn fill(&self, _bytes: &mut [u8]) -> Result<()> {
        Err(Error::unavailable("test_empty", None, "no bytes"))
    }
}

#[test]
fn a_generator_that_is_stuck_or_empty_makes_no_token() {
    let format = TokenFormat::new("sk", "live").unwrap();
    let code = |random: &dyn Random| format.generate(random).map(|_| ()).map_err(|e| e.code());
    assert_eq!(code(&Stuck(0xff)), Err("lifecycle_token_random"));
    assert_eq!(code(&Stuck(62)), Err("lifecycle_token_random"));
    assert_eq!(code(&Empty), Err("test_empty"));
}

#[test]
fn the_scanner_expression_finds_the_tokens_in_a_text_and_nothing_else() {
    let token = generate("sk", "live", 11);
    let [whole, other] = [token.expose(), generate("sk", "test", 11).expose()].map(String::from);
    let cut = whole.split_at(whole.len() - 1).0;
    let text = format!(
        "{{\"key\": \"{whole}\"}}\nGET /?key={whole}&a=b\nexport KEY={whole};\n'App {whole}'\n\
         {other}\n{cut}\n{whole}0\nx{whole}\n_{whole}\n{upper}\n",
        upper = whole.to_uppercase()
    );
    let expression = TokenFormat::new("sk", "live").unwrap().scanner_expression();
    for dialect in ["-oP", "-oE"] {
        let spawned = Command::new("grep")
            .args([dialect, &expression])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut grep) = spawned else {
            eprintln!("skipped: grep not installed");
            return;
        };
        grep.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let found = grep.wait_with_output().unwrap();
        if found.status.code() == Some(2) {
            eprintln!("skipped: this grep knows no {dialect}");
            continue;
        }
        let found = String::from_utf8(found.stdout).unwrap();
        assert_eq!(found.lines().collect::<Vec<_>>(), [&*whole; 4], "{dialect} {expression}");
    }
}

proptest! {
    #[test]
    fn what_is_generated_parses_and_is_one_word(token in token()) {
        let text = token.expose();
        let parsed = ParsedToken::parse(text).unwrap();
        prop_assert_eq!(parsed.id(), token.id());
        prop_assert_eq!(token.id().len(), ID);
        let start = format!("{}_{}_{}_", parsed.prefix(), parsed.environment(), parsed.id());
        prop_assert!(text.starts_with(&start));
        prop_assert_eq!(text.split('_').map(str::len).skip(2).collect::<Vec<_>>(), [ID, SECRET, CHECKSUM]);
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    }

    /// A CRC of 32 bits finds every change within 32 bits, so this is no matter of chance.
    #[test]
    fn a_changed_byte_and_a_swapped_pair_of_neighbours_are_refused(token in token(), other: u8) {
        let text = token.expose().as_bytes();
        for place in 0..text.len() {
            let mut changed = text.to_vec();
            changed[place] = other;
            prop_assert!(changed == text || ParsedToken::parse(&changed).is_err(), "byte {}", place);
            let mut swapped = text.to_vec();
            if place + 1 < text.len() {
                swapped.swap(place, place + 1);
            }
            prop_assert!(swapped == text || ParsedToken::parse(&swapped).is_err(), "pair {}", place);
            prop_assert!(ParsedToken::parse(&text[..place]).is_err(), "cut at {}", place);
        }
    }

    #[test]
    fn no_input_panics_or_shows_more_than_a_mask(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(ParsedToken::parse(&bytes).is_err());
        prop_assert_eq!(masked_token(&bytes), "........");
    }

    #[test]
    fn no_text_of_its_characters_panics(text in "[a-z0-9]{1,9}_[a-z0-9]{1,9}_[0-9A-Za-z]{11,13}_[0-9A-Za-z]{32,34}_[0-9A-Za-z_]{5,7}") {
        if let Ok(parsed) = ParsedToken::parse(&text) {
            prop_assert_eq!(parsed.id().len(), ID);
        }
    }
}
