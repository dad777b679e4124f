//! Which session is for which request: protection spaces (RFC 7616 section 3.3, `domain`).

use super::session::AuthenticationSession;
use crate::target::target;
use auth_core::{Origin, Result};
use http::{Uri, uri::Authority};
use std::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

/// The sessions of a client, one for each protection space, the newest first.
#[derive(Default)]
pub(crate) struct Spaces {
    last: AtomicU64,
    kept: RwLock<Vec<Arc<KeptSession>>>,
}

/// A session, where it belongs, and what became of it.
pub(crate) struct KeptSession {
    /// Tells one nonce from the next: what credentials are stamped with.
    pub(crate) serial: u64,
    pub(crate) session: AuthenticationSession,
    pub(crate) place: ProtectionSpace,
    standing: AtomicU8,
}

/// What the server thinks of a nonce, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has just been issued, and the request that it was given to has not been answered yet.
    Fresh,
    /// It has served: refused now, it may be that it is only old.
    Proven,
    /// The password is wrong with it.
    Refused,
}

/// The URIs of a protection space.
#[derive(Clone, Debug)]
pub(crate) enum ProtectionSpace {
    /// Every one: a proxy's, or of fields that a person typed.
    Anywhere,
    /// Those of one origin whose path and query begin with one of these.
    At {
        origin: Origin,
        /// The origin's host and port as they were written when it asked.
        authority: Box<str>,
        paths: Vec<Box<str>>,
    },
}

impl Spaces {
    /// The most protection spaces that are kept; beyond them the oldest is forgotten.
    const MOST: usize = 64;

    /// The session for a request: of the space that says most about it, or of the newest of those.
    pub(crate) fn find(&self, uri: &Uri) -> Option<Arc<KeptSession>> {
        let kept = self.read();
        let mut best: Option<(usize, &Arc<KeptSession>)> = None;
        for kept in &*kept {
            if let Some(length) = kept.place.covers(uri) {
                if best.is_none_or(|(longest, _)| length > longest) {
                    best = Some((length, kept));
                }
            }
        }
        best.map(|(_, kept)| Arc::clone(kept))
    }

    /// The session with this serial, if it is kept.
    pub(crate) fn with_serial(&self, serial: u64) -> Option<Arc<KeptSession>> {
        self.read().iter().find(|kept| kept.serial == serial).map(Arc::clone)
    }

    /// A session that has a serial and is not yet kept.
    pub(crate) fn enter(
        &self,
        session: AuthenticationSession,
        place: ProtectionSpace,
        standing: Standing,
    ) -> Arc<KeptSession> {
        let serial = self.last.fetch_add(1, Ordering::Relaxed);
        let standing = AtomicU8::new(standing.code());
        Arc::new(KeptSession { serial, session, place, standing })
    }

    /// Keeps a session instead of any other of the same realm and origin, and instead of the one that a request was
    /// refused with before this one was had: that was not for this place, whatever it said of itself.
    pub(crate) fn keep(&self, new: Arc<KeptSession>, refused: Option<u64>) {
        let mut kept = self.write();
        kept.retain(|other| Some(other.serial) != refused && !other.is_replaced_by(&new));
        kept.insert(0, new);
        kept.truncate(Self::MOST);
    }

    /// Keeps a session that has served a request for `uri`, unless one that has served there was kept meanwhile: of many
    /// requests that were given a nonce each, the first to be served is the one whose nonce all others share.
    pub(crate) fn keep_proven(&self, new: Arc<KeptSession>, refused: Option<u64>, uri: &Uri) {
        let serves = |other: &Arc<KeptSession>| {
            Some(other.serial) != refused
                && other.standing() == Standing::Proven
                && other.is_replaced_by(&new)
                && other.place.covers(uri).is_some()
        };
        if !self.read().iter().any(serves) {
            self.keep(new, refused);
        }
    }

    /// Forgets a session whose counts are used up.
    pub(crate) fn forget(&self, serial: u64) {
        self.write().retain(|kept| kept.serial != serial);
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Arc<KeptSession>>> {
        // Every change is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Arc<KeptSession>>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptSession {
    pub(crate) fn standing(&self) -> Standing {
        Standing::of(self.standing.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, standing: Standing) {
        if self.standing() != standing {
            self.standing.store(standing.code(), Ordering::Relaxed);
        }
    }

    fn is_replaced_by(&self, other: &Self) -> bool {
        let same_realm = self.session.terms.realm == other.session.terms.realm;
        same_realm
            && match (&self.place, &other.place) {
                (ProtectionSpace::Anywhere, ProtectionSpace::Anywhere) => true,
                (ProtectionSpace::At { origin, .. }, ProtectionSpace::At { origin: other, .. }) => {
                    origin == other
                }
                _ => false,
            }
    }
}

impl Standing {
    const fn code(self) -> u8 {
        match self {
            Self::Fresh => 0,
            Self::Proven => 1,
            Self::Refused => 2,
        }
    }

    const fn of(code: u8) -> Self {
        match code {
            0 => Self::Fresh,
            1 => Self::Proven,
            _ => Self::Refused,
        }
    }
}

impl ProtectionSpace {
    /// What a challenge to a request for `uri` says: the URIs of `domain` that are of the same origin, or all of it.
    ///
    /// Those of other origins are passed over, since no credentials go where nobody sent them. The request itself is
    /// always covered.
    pub(crate) fn of(uri: &Uri, domain: Option<&[u8]>) -> Result<Self> {
        let origin = Origin::of(uri)?;
        let listed = domain.and_then(|domain| std::str::from_utf8(domain).ok()).unwrap_or_default();
        let mut paths: Vec<Box<str>> =
            listed.split_ascii_whitespace().filter_map(|text| path_at(&origin, text)).collect();
        let target = target(uri);
        if paths.is_empty() {
            paths.push("/".into());
        } else if !paths.iter().any(|path| target.starts_with(&**path)) {
            paths.push(target.into_owned().into());
        }
        let authority = uri.authority().map_or("", Authority::as_str).into();
        Ok(Self::At { origin, authority, paths })
    }

    /// How much it says about a request for this URI, `None` when nothing.
    pub(crate) fn covers(&self, uri: &Uri) -> Option<usize> {
        let Self::At { origin, authority, paths } = self else { return Some(0) };
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return None,
        };
        let written = uri.authority()?;
        let same = written.as_str() == &**authority || is_at(origin, written, encrypted);
        if !same || origin.is_encrypted() != encrypted {
            return None;
        }
        let target = target(uri);
        let covering = paths.iter().filter(|path| target.starts_with(&***path));
        covering.map(|path| path.len()).max()
    }
}

/// Is it the same host and port, in another spelling?
fn is_at(origin: &Origin, written: &Authority, encrypted: bool) -> bool {
    let port = written.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    origin.port() == port
        && origin.host().eq_ignore_ascii_case(written.host().trim_end_matches('.'))
}

/// The path of a URI of `domain`, if it is of this origin.
fn path_at(origin: &Origin, text: &str) -> Option<Box<str>> {
    if text.starts_with('/') && !text.starts_with("//") {
        return Some(text.into());
    }
    let uri: Uri = text.parse().ok()?;
    let same = Origin::of(&uri).is_ok_and(|other| other == *origin);
    same.then(|| target(&uri).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        asked: &'static str,
        domain: Option<&str>,
        uri: &'static str,
        expected: Option<usize>,
    ) {
        let place =
            ProtectionSpace::of(&Uri::from_static(asked), domain.map(str::as_bytes)).unwrap();
        assert_eq!(place.covers(&Uri::from_static(uri)), expected, "{place:?}");
    }

    #[test]
    fn without_domain_a_space_is_the_whole_origin() {
        let asked = "https://a.example/x/y?z";
        check(asked, None, "https://a.example/", Some(1));
        check(asked, None, "https://A.example:443/other", Some(1));
        check(asked, None, "https://a.example?q", Some(1));
        check(asked, Some(""), "https://a.example/other", Some(1));
        for other in
            ["http://a.example/x/y", "https://b.example/", "https://a.example:444/", "/x/y"]
        {
            check(asked, None, other, None);
        }
    }

    #[test]
    fn domain_says_which_uris_belong_together() {
        let (asked, domain) = ("https://a.example/x", Some("/x https://a.example/y/z"));
        check(asked, domain, "https://a.example/x/1", Some(2));
        check(asked, domain, "https://a.example/y/z?1", Some(4));
        check(asked, domain, "https://a.example/y", None);
        check(asked, domain, "https://a.example/", None);
    }

    #[test]
    fn a_request_that_was_challenged_is_covered_whatever_domain_says() {
        let asked = "https://a.example/here?x";
        check(asked, Some("/there"), "https://a.example/there", Some(6));
        check(asked, Some("/there"), asked, Some(7));
        check(asked, Some("/there"), "https://a.example/here", None);
    }

    #[test]
    fn a_server_cannot_send_credentials_elsewhere() {
        let asked = "https://a.example/x";
        for domain in
            ["https://b.example/", "//b.example/", "http://a.example/", "ftp://x", "\u{e9}"]
        {
            check(asked, Some(domain), "https://b.example/", None);
            check(asked, Some(domain), "http://a.example/", None);
            check(asked, Some(domain), "https://a.example/y", Some(1));
        }
    }
}
