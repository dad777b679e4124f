//! What is kept of a password.

use auth_core::{Error, Result};
use auth_static::{Argon2Cost, PasswordHash, SlowHash};
use std::{fmt, sync::Arc};

#[cfg(feature = "import")]
mod bcrypt;
#[cfg(feature = "import")]
use bcrypt::Bcrypt;

/// The hash of a password, of our own making or imported from another program: Argon2id (RFC 9106), or bcrypt with the
/// feature `import`. A clone shares it.
///
/// Whoever logs in with the right password brings it in plain text, so a hash that [should be made
/// anew](Self::needs_rehash) is made anew then, with [`PasswordHash::of`].
///
/// # Security
///
/// - The cost of a stored hash is bounded, so that no import can take the server down: that of bcrypt is at most 14,
///   which takes about a second of one core, and that of Argon2id is as [`Argon2Cost`] says.
/// - For credentials alone that are found by another field, such as a user name: a hash with a salt cannot be looked up.
/// - A check takes another time for each kind and cost. So until all hashes were made anew, the time tells an imported
///   user from an unknown one.
/// - bcrypt looks at the first 72 bytes of a password and no further, and so does this. A password with a zero byte is
///   never right for it, since bcrypt could not tell `a` from `a\0a`.
///
/// ```
/// use auth_lifecycle::StoredPassword;
/// use auth_static::Argon2Cost;
/// let hash = StoredPassword::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")?;
/// assert!(hash.verify(b"U*U")?); // on `Workers`, in a server
/// assert!(!hash.verify(b"U*V")?);
/// assert!(hash.needs_rehash(Argon2Cost::default()));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct StoredPassword(Arc<Kind>);

enum Kind {
    Argon2(PasswordHash),
    #[cfg(feature = "import")]
    Bcrypt(Bcrypt),
}

impl StoredPassword {
    /// Reads a hash: `$argon2id$v=19$m=..,t=..,p=..$salt$hash`, or `$2a$`, `$2b$` or `$2y$` of bcrypt.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_import_unknown` when it is of no such kind, `lifecycle_import_bcrypt` when
    /// it begins as one of bcrypt and is none, and `lifecycle_import_cost` when bcrypt's cost is not 4 to 14; those of
    /// [`PasswordHash::parse`]. No error repeats anything of the hash.
    pub fn parse(text: &str) -> Result<Self> {
        #[cfg(feature = "import")]
        if let Some(rest) = ["$2a$", "$2b$", "$2y$"].iter().find_map(|it| text.strip_prefix(it)) {
            return Ok(Self(Arc::new(Kind::Bcrypt(Bcrypt::parse(rest)?))));
        }
        if !text.starts_with("$argon2id$") {
            let text = "password hash is of no known kind, expected one that begins with $argon2id$, or with $2a$, $2b$ or \
                        $2y$ where the feature import is enabled";
            return Err(Error::config("lifecycle_import_unknown", text));
        }
        let kind = Kind::Argon2(PasswordHash::parse(text)?);
        Ok(Self(Arc::new(kind)))
    }

    /// Is it the hash of this password? It takes tens of milliseconds and more, and for Argon2id the memory of its cost:
    /// a server runs it on [`Workers`](auth_core::Workers) and bounds how many run at once.
    ///
    /// # Errors
    ///
    /// Those of [`PasswordHash::is_of`].
    pub fn verify(&self, password: &[u8]) -> Result<bool> {
        match &*self.0 {
            Kind::Argon2(hash) => hash.is_of(password),
            #[cfg(feature = "import")]
            Kind::Bcrypt(hash) => Ok(hash.is_of(password)),
        }
    }

    /// Should it be made anew once the password is known, since it is not Argon2id of this cost?
    #[must_use]
    pub fn needs_rehash(&self, cost: Argon2Cost) -> bool {
        match &*self.0 {
            Kind::Argon2(hash) => hash.cost() != cost,
            #[cfg(feature = "import")]
            Kind::Bcrypt(_) => true,
        }
    }
}

impl StoredPassword {
    /// Is a password that is right for this hash its owner's whole password? bcrypt does not see how one of 72 bytes goes
    /// on.
    pub(crate) fn sees_all_of(&self, password: &[u8]) -> bool {
        let _ = password;
        match &*self.0 {
            Kind::Argon2(_) => true,
            #[cfg(feature = "import")]
            Kind::Bcrypt(_) => password.len() < Bcrypt::MOST_PASSWORD_BYTES,
        }
    }
}

impl From<PasswordHash> for StoredPassword {
    fn from(hash: PasswordHash) -> Self {
        Self(Arc::new(Kind::Argon2(hash)))
    }
}

impl SlowHash for StoredPassword {
    fn is_of(&self, password: &[u8]) -> Result<bool> {
        self.verify(password)
    }
}

/// Shows which kind it is, and nothing of salt or hash.
impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Kind::Argon2(_) => "StoredPassword(Argon2id ..)",
            #[cfg(feature = "import")]
            Kind::Bcrypt(_) => "StoredPassword(bcrypt ..)",
        })
    }
}

#[cfg(all(test, feature = "import"))]
mod tests {
    use super::*;
    use auth_core::SystemRandom;
    use proptest::prelude::*;

    const SALTED: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.";
    const HASH: &str = "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    const LONGEST: &str =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    /// Those with U and those of 72 bytes are of crypt_blowfish's own test, the others were made by libxcrypt and by
    /// htpasswd of Apache.
    #[test]
    fn bcrypt_agrees_with_other_programs() {
        let ignored = format!("{LONGEST}chars after 72 are ignored");
        for (password, stored) in [
            ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
            ("", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
            (&*ignored, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
            (LONGEST, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
            (LONGEST, "$2y$04$abcdefghijklmnopqrstuuRAip/W0RPQX4QKkqYqXE3GIXWH518Sm"),
            (
                LONGEST.split_at(71).0,
                "$2y$04$abcdefghijklmnopqrstuuPoSfF1I5DbOoMYRG3EF1OqdMhjAyV4u",
            ),
            ("p\u{e4}ssw\u{f6}rd", "$2y$04$abcdefghijklmnopqrstuuyx2n0Zzopyr9QuYTMCfOJJOj526QVoC"),
            ("open sesame", "$2y$04$pjrQGoUIRqwwoi9HpO9C5uNHCRY2RUJT.bwQaWY08h1u6CbPQ/avS"),
        ] {
            let hash = StoredPassword::parse(stored).unwrap();
            let verify = |password: &str| hash.verify(password.as_bytes()).unwrap();
            assert!(verify(password), "{password}");
            assert!(!verify(&format!("!{password}")), "{password}");
            assert!(!verify("another"), "{password}");
            let shorter: String = password.chars().take(70).skip(1).collect();
            assert_eq!(verify(&shorter), password.is_empty(), "{password}");
        }
    }

    /// bcrypt repeats a password and the zero byte behind it until the key is full.
    #[test]
    fn a_password_with_a_zero_byte_is_not_taken_for_another() {
        let stored = "$2b$04$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC";
        let hash = StoredPassword::parse(stored).unwrap();
        for (password, expected) in
            [(&b"a"[..], true), (b"a\0a", false), (b"a\0", false), (b"a\0a\0a", false)]
        {
            assert_eq!(hash.verify(password).unwrap(), expected, "{password:?}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let read = StoredPassword::parse(text).map(|_| ());
        if let Err(error) = &read {
            assert!(!error.to_string().contains("CCCC") && !error.to_string().contains("OeW"));
        }
        assert_eq!(read.map_err(|error| error.code()), expected, "{text}");
    }

    #[test]
    fn reads_hashes_of_known_kinds_within_bounds_alone() {
        let right = format!("{SALTED}{HASH}");
        let of = |from: &str, to: &str| right.replacen(from, to, 1);
        for version in ["$2a$", "$2b$", "$2y$"] {
            check(&of("$2b$", version), Ok(()));
        }
        for cost in ["$04$", "$14$"] {
            check(&of("$05$", cost), Ok(()));
        }
        for cost in ["$00$", "$03$", "$15$", "$31$", "$99$"] {
            check(&of("$05$", cost), Err("lifecycle_import_cost"));
        }
        for (from, to) in [
            ("$05$", "$5$"),
            ("$05$", "$005$"),
            ("$05$", "$+5$"),
            ("$05$", "$05"),
            ("$05$", "$\u{0665}$"),
            (HASH, ""),
            ("OeW", "Oe"),
            ("OeW", "OeWW"),
            ("OeW", "OeX"),
            ("OeW", "OeW\n"),
            ("OeW", "Oe="),
            ("OeW", "\u{e9}W"),
            ("CC.E", "CCCE"),
            ("CC.E", "C\u{2028}E"),
            ("CC", "C+"),
            ("CC", "C"),
        ] {
            check(&of(from, to), Err("lifecycle_import_bcrypt"));
        }
        for foreign in ["", "$2$", "$2x$", "2b$", "$2B$", "$1$", "$argon2i$", "$5$", "{SHA}"] {
            check(&of("$2b$", foreign), Err("lifecycle_import_unknown"));
        }
        check("password", Err("lifecycle_import_unknown"));
        check("$argon2id$v=19$m=4194304,t=2,p=1$CCCCCCCCCCC$CC", Err("basic_hash_syntax"));
        let absurd = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZSBmaXhlZCBzYWx0$\
                      HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
        check(absurd, Err("basic_hash_cost"));
    }

    #[test]
    fn argon2id_is_verified_and_made_anew_for_another_cost_alone() {
        let cost = Argon2Cost::new(7168, 5, 1).unwrap();
        let made = PasswordHash::of("open sesame", cost, &SystemRandom::new()).unwrap();
        let hash = StoredPassword::parse(&made.to_phc()).unwrap();
        assert!(hash.verify(b"open sesame").unwrap());
        assert!(!hash.verify(b"open sesam").unwrap());
        assert!(!hash.needs_rehash(cost));
        assert!(hash.needs_rehash(Argon2Cost::default()));
        let bcrypt = StoredPassword::parse(&format!("{SALTED}{HASH}")).unwrap();
        assert!(bcrypt.needs_rehash(cost));
        assert_eq!(
            format!("{hash:?} {bcrypt:?}"),
            "StoredPassword(Argon2id ..) StoredPassword(bcrypt ..)"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\$2[abxy]\\$|\\$argon2id\\$)?([0-9]{2}\\$)?[./A-Za-z0-9]{0,60}\\PC{0,4}") {
            let _ = StoredPassword::parse(&text);
        }
    }
}
