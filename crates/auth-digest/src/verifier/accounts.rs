//! The users that a verifier knows, and the secret of each.

use crate::{DigestAlgorithm, Ha1, HashFunction, SessionHa1, response::userhash, user::check_name};
use auth_core::{Candidates, Error, Flow, Lookup, Result};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

/// What a verifier asks about the user that a caller claims to be: enough for an authority elsewhere to answer with the secret of one session.
#[derive(Clone, Copy)]
pub struct DigestQuery<'a> {
    /// The user that the caller claims to be.
    pub name: DigestUserName<'a>,
    /// The verifier's realm.
    pub realm: &'a str,
    /// The algorithm of the response.
    pub algorithm: DigestAlgorithm,
    /// The nonce of the response.
    pub nonce: &'a [u8],
    /// The cnonce of the response; empty without qop.
    pub cnonce: &'a [u8],
}

/// The name by which a caller claims to be a user.
#[derive(Clone, Copy)]
pub enum DigestUserName<'a> {
    /// By its name.
    Plain(&'a str),
    /// By the hash of its name and realm, under the hash function of the algorithm, in lower-case hexadecimal digits
    /// (RFC 7616 section 3.4.4).
    Hashed(&'a str),
}

/// What is known of a user: the secret of a [`Candidate`](auth_core::Candidate).
#[derive(Clone, Debug)]
pub struct DigestUserRecord {
    /// The user's name, also where it came as a hash: counts are kept by it, so it is the same for both.
    pub user: Arc<str>,
    /// What the user's responses are computed with.
    pub secret: UserSecret,
}

/// What responses are computed with.
#[derive(Clone, Debug)]
pub enum UserSecret {
    /// What stands for the password, under the hash function of the algorithm that was asked for.
    Ha1(Ha1),
    /// What an authority gave for this nonce and cnonce: under a `-sess` algorithm alone, since otherwise it would be
    /// HA1 itself.
    Session(SessionHa1),
}

/// Shows what kind of query it is, never who or what.
impl fmt::Debug for DigestQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestQuery({:?}, {})", self.name, self.algorithm)
    }
}

impl fmt::Debug for DigestUserName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Hashed(_) => "Hashed(..)",
        })
    }
}

/// Accounts that are all known when the server starts: an HA1 for each user, realm and hash function.
///
/// Users are found by name and by its hash. While clients move from MD5 to SHA-256 a user has both.
///
/// # Security
///
/// There are no passwords in it, but what is in it is as good as they are for the realm.
///
/// ```
/// use auth_digest::{DigestAccounts, Ha1, HashFunction};
/// let mut accounts = DigestAccounts::from_htdigest(
///     HashFunction::Md5,
///     "alice:realm1:cb0aa14dd5b713da9a0a21b85347f3e5\n",
/// )?;
/// accounts.add("alice", "realm1", Ha1::new(HashFunction::Sha256, "alice", b"realm1", b"s3cret"))?;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Default)]
pub struct DigestAccounts {
    users: HashMap<Arc<str>, Vec<Account>>,
    hashed: HashMap<Box<str>, Arc<str>>,
    /// Each realm once: all of its accounts share it.
    realms: HashSet<Arc<str>>,
}

struct Account {
    realm: Arc<str>,
    ha1: Ha1,
}

impl DigestAccounts {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what stands for a user's password in a realm. Of one user, realm and hash function given twice the last
    /// counts.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the user name holds `:` or a control character.
    pub fn add(&mut self, user: &str, realm: &str, ha1: Ha1) -> Result<()> {
        check_name(user)?;
        let function = ha1.function();
        let hash = userhash(function, user, realm.as_bytes());
        let hash = String::from_utf8_lossy(hash.as_bytes()).into();
        let name = match self.users.get_key_value(user) {
            Some((name, _)) => Arc::clone(name),
            None => user.into(),
        };
        self.hashed.insert(hash, Arc::clone(&name));
        let realm = self.realm(realm);
        let accounts = self.users.entry(name).or_default();
        accounts.retain(|known| known.realm != realm || known.ha1.function() != function);
        // Almost every user has one, and a vector that grows by itself begins with room for four.
        accounts.reserve_exact(1);
        accounts.push(Account { realm, ha1 });
        Ok(())
    }

    fn realm(&mut self, realm: &str) -> Arc<str> {
        if let Some(known) = self.realms.get(realm) {
            return Arc::clone(known);
        }
        let realm: Arc<str> = realm.into();
        self.realms.insert(Arc::clone(&realm));
        realm
    }

    /// Reads lines as `htdigest` writes them, `user:realm:HA1`, in one hash function; empty ones are passed over. The
    /// fourth part that lighttpd wants for userhash may be there: it is computed anyway.
    ///
    /// # Errors
    ///
    /// `Error::Config` that names the line and not what is on it.
    pub fn from_htdigest(function: HashFunction, text: &str) -> Result<Self> {
        let mut accounts = Self::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            accounts.add_line(function, line).ok_or_else(|| {
                let text = format!(
                    "line {} is not user:realm:hash, expected {} lower-case hexadecimal digits for the hash",
                    number.saturating_add(1),
                    function.digits()
                );
                Error::config("digest_htdigest", text)
            })?;
        }
        Ok(accounts)
    }

    fn add_line(&mut self, function: HashFunction, line: &str) -> Option<()> {
        let (user, rest) = line.split_once(':')?;
        let (mut realm, mut hex) = rest.rsplit_once(':')?;
        if let Some((before, third)) = realm.rsplit_once(':') {
            // A realm may hold ':' too, but who has one that looks like a hash?
            if Ha1::from_hex(function, third).is_ok() {
                (realm, hex) = (before, third);
            }
        }
        self.add(user, realm, Ha1::from_hex(function, hex).ok()?).ok()
    }

    fn find(&self, query: &DigestQuery<'_>) -> Option<DigestUserRecord> {
        let name = match query.name {
            DigestUserName::Plain(name) => name,
            DigestUserName::Hashed(hash) => self.hashed.get(hash)?,
        };
        let (user, accounts) = self.users.get_key_value(name)?;
        let function = query.algorithm.function();
        let fits = |account: &&Account| {
            account.ha1.function() == function && *account.realm == *query.realm
        };
        let account = accounts.iter().find(fits)?;
        let secret = UserSecret::Ha1(account.ha1.clone());
        Some(DigestUserRecord { user: Arc::clone(user), secret })
    }
}

impl Lookup<DigestQuery<'_>> for DigestAccounts {
    type Found = Candidates<DigestUserRecord, ()>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(self.find(query).map(Candidates::from))
    }
}

impl fmt::Debug for DigestAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestAccounts({} users)", self.users.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTDIGEST: &str = "alice:realm1:cb0aa14dd5b713da9a0a21b85347f3e5\r\n\
                            \n\
                            bob:a:b:00000000000000000000000000000000\n\
                            carol:realm1:11111111111111111111111111111111:22222222222222222222222222222222";

    fn query<'a>(
        name: DigestUserName<'a>,
        realm: &'a str,
        algorithm: DigestAlgorithm,
    ) -> DigestQuery<'a> {
        DigestQuery { name, realm, algorithm, nonce: b"", cnonce: b"" }
    }

    #[track_caller]
    fn check(
        name: DigestUserName<'_>,
        realm: &str,
        algorithm: DigestAlgorithm,
        expected: Option<(&str, &str)>,
    ) {
        let mut accounts = DigestAccounts::from_htdigest(HashFunction::Md5, HTDIGEST).unwrap();
        let sha256 = || Ha1::new(HashFunction::Sha256, "alice", b"realm1", b"s3cret");
        accounts
            .add("alice", "realm1", Ha1::from_hex(HashFunction::Sha256, &"0".repeat(64)).unwrap())
            .unwrap();
        accounts.add("alice", "realm1", sha256()).unwrap();
        let found = accounts.find(&query(name, realm, algorithm));
        let found = found.map(|known| match known.secret {
            UserSecret::Ha1(ha1) => {
                let hex = std::str::from_utf8(ha1.expose()).unwrap();
                (known.user.to_string(), hex.get(..32).unwrap().to_owned())
            }
            UserSecret::Session(_) => panic!("a session"),
        });
        assert_eq!(found.as_ref().map(|(user, hex)| (user.as_str(), hex.as_str())), expected);
    }

    const MD5: &str = "cb0aa14dd5b713da9a0a21b85347f3e5";

    #[test]
    fn finds_by_name_realm_and_hash_function() {
        let alice = DigestUserName::Plain("alice");
        check(alice, "realm1", DigestAlgorithm::Md5, Some(("alice", MD5)));
        check(alice, "realm1", DigestAlgorithm::Md5Sess, Some(("alice", MD5)));
        let sha256 = Ha1::new(HashFunction::Sha256, "alice", b"realm1", b"s3cret");
        let sha256 = std::str::from_utf8(&sha256.expose()[..32]).unwrap().to_owned();
        check(alice, "realm1", DigestAlgorithm::Sha256, Some(("alice", &sha256)));
        check(alice, "realm1", DigestAlgorithm::Sha512_256, None);
        check(alice, "realm2", DigestAlgorithm::Md5, None);
        check(
            DigestUserName::Plain("bob"),
            "a:b",
            DigestAlgorithm::Md5,
            Some(("bob", &"0".repeat(32))),
        );
        check(
            DigestUserName::Plain("carol"),
            "realm1",
            DigestAlgorithm::Md5,
            Some(("carol", &"1".repeat(32))),
        );
        check(DigestUserName::Plain("Alice"), "realm1", DigestAlgorithm::Md5, None);
        check(DigestUserName::Plain(""), "", DigestAlgorithm::Md5, None);
    }

    #[test]
    fn finds_by_the_hash_of_the_same_function_alone() {
        let hash = |function| userhash(function, "alice", b"realm1");
        let text = |hash: &crate::HexDigest| String::from_utf8(hash.as_bytes().to_vec()).unwrap();
        let md5 = text(&hash(HashFunction::Md5));
        check(DigestUserName::Hashed(&md5), "realm1", DigestAlgorithm::Md5, Some(("alice", MD5)));
        check(DigestUserName::Hashed(&md5), "realm2", DigestAlgorithm::Md5, None);
        let sha512_256 = text(&hash(HashFunction::Sha512_256));
        check(DigestUserName::Hashed(&sha512_256), "realm1", DigestAlgorithm::Sha512_256, None);
        check(DigestUserName::Plain(&md5), "realm1", DigestAlgorithm::Md5, None);
        check(DigestUserName::Hashed("alice"), "realm1", DigestAlgorithm::Md5, None);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_not_shown() {
        for line in [
            "canary",
            "canary:r",
            "canary:r:",
            "canary:r:00",
            "ca:r:0000000000000000000000000000000G",
            "a\tb:r:00000000000000000000000000000000",
        ] {
            let text = format!("\n{line}\n");
            let error = DigestAccounts::from_htdigest(HashFunction::Md5, &text).unwrap_err();
            assert_eq!(error.code(), "digest_htdigest");
            assert!(error.to_string().starts_with("configuration: line 2 is not"), "{error}");
            assert!(!error.to_string().contains("canary"));
        }
        assert!(DigestAccounts::from_htdigest(HashFunction::Sha256, HTDIGEST).is_err());
    }

    #[test]
    fn names_that_could_be_read_in_two_ways_are_refused() {
        let ha1 = Ha1::new(HashFunction::Md5, "a", b"b", b"c");
        let error = DigestAccounts::new().add("a:b", "c", ha1).unwrap_err();
        assert_eq!(error.code(), "digest_user_name_colon");
    }

    #[test]
    fn shows_no_name_and_no_secret() {
        let accounts = DigestAccounts::from_htdigest(HashFunction::Md5, HTDIGEST).unwrap();
        assert_eq!(format!("{accounts:?}"), "DigestAccounts(3 users)");
        let asked = query(DigestUserName::Plain("alice"), "realm1", DigestAlgorithm::Md5);
        assert_eq!(format!("{asked:?}"), "DigestQuery(Plain(..), MD5)");
        let known = accounts.find(&asked).unwrap();
        assert_eq!(format!("{:?}", known.secret), "Ha1(Ha1(..))");
    }
}
