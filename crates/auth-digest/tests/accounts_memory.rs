//! What an account costs a server that knows many.

#![allow(clippy::unwrap_used)]

use auth_digest::{DigestAccounts, Ha1, HashFunction};

/// As many as fill the tables as far as a million does: it would take 128 times as many, in tables 128 times as large.
const ACCOUNTS: usize = 1_000_000 / 128;

/// The bytes of an account, in one realm, under so many hash functions.
fn bytes(functions: &[HashFunction]) -> i64 {
    let names: Vec<String> = (0..ACCOUNTS).map(|n| format!("user-{n:07}")).collect();
    let ha1 = |function| Ha1::new(function, "", b"", b"");
    let mut accounts = DigestAccounts::new();
    let counted = allocation_counter::measure(|| {
        for name in &names {
            for function in functions {
                accounts.add(name, "realm1", ha1(*function)).unwrap();
            }
        }
    });
    counted.bytes_current / i64::try_from(ACCOUNTS).unwrap()
}

#[test]
fn an_account_of_a_million_takes_at_most_410_bytes() {
    let one = bytes(&[HashFunction::Sha256]);
    println!("{one} bytes under one hash function");
    assert!(one <= 410, "{one} bytes");
}

#[test]
fn a_second_hash_function_of_a_user_costs_less_than_another_user() {
    let (one, two) =
        (bytes(&[HashFunction::Sha256]), bytes(&[HashFunction::Sha256, HashFunction::Md5]));
    println!("{one} and {two} bytes");
    assert!(two - one < one, "{one} and {two} bytes");
}
