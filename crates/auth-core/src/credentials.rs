//! What an authenticator adds to a request.

mod part;
mod stamps;
mod use_counter;

use crate::{Error, Result, Stamp};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use part::{Part, Parts, new_target, taken};
use stamps::{Left, Stamps};
use std::{fmt, sync::Arc};
use use_counter::CountedUse;

pub use use_counter::UseCounter;

/// What to add to a request so that it is authenticated: header fields, query parameters, its own path in another
/// encoding, or nothing.
///
/// Only [`commit`](Credentials::commit) edits a request, and never half: everything is validated first. A clone
/// shares what it holds, so that a kept token costs no allocation.
///
/// Each scheme that keeps state leaves a [`Stamp`], and finds it again when the answer is assessed.
///
/// # Security
///
/// Every header value is marked sensitive; `Debug` shows names, never values. Fields that route or frame a message
/// (Host, Content-Length, Transfer-Encoding and the like) are refused, wherever the name came from.
///
/// ```
/// use auth_core::Credentials;
/// use http::{HeaderMap, HeaderName, HeaderValue, Uri};
/// let credentials = Credentials::header(HeaderName::from_static("key"), HeaderValue::from_static("k"))?;
/// let (mut uri, mut headers) = (Uri::from_static("https://example.com/"), HeaderMap::new());
/// credentials.commit(&mut uri, &mut headers)?;
/// assert!(headers["key"].is_sensitive());
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Credentials(Layout);

#[derive(Clone)]
enum Layout {
    Made(Made),
    Shared(Arc<SharedParts>),
    /// The same, and one use that is counted: a token whose successor ends it costs no allocation either.
    Counted(Arc<SharedParts>, CountedUse),
}

#[derive(Clone, Default)]
struct Made {
    parts: Parts,
    stamps: Stamps,
}

/// Two cache lines to itself, as processors fetch them in pairs: what counts the references to one shares none with
/// what counts those to another.
#[repr(align(128))]
struct SharedParts(Made);

impl Credentials {
    /// Nothing to add.
    #[must_use]
    pub const fn none() -> Self {
        Self::made(Parts::None)
    }

    const fn made(parts: Parts) -> Self {
        Self(Layout::Made(Made { parts, stamps: Stamps::NONE }))
    }

    /// One header field.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is one that routes or frames messages.
    pub fn header(name: HeaderName, value: HeaderValue) -> Result<Self> {
        Ok(Self::made(Parts::One(Part::header(name, value)?)))
    }

    /// Several header fields, in one allocation.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a name is one that routes or frames messages, or comes twice.
    pub fn headers<const N: usize>(fields: [(HeaderName, HeaderValue); N]) -> Result<Self> {
        Parts::headers(fields).map(Self::made)
    }

    /// One query parameter; name and value are percent-encoded here, all but the unreserved characters of RFC 3986.
    #[must_use]
    pub fn query(name: &str, value: &str) -> Self {
        Self::made(Parts::One(Part::query(name, value)))
    }

    /// The path of the request in the percent-encoding that was signed, for receivers that verify the path as it stands.
    ///
    /// It never leads elsewhere: [`commit`](Self::commit) takes it only if each segment decodes to the same bytes as
    /// that of the request, and if it makes no segment of dots and no backslash.
    ///
    /// ```
    /// # use auth_core::Credentials;
    /// # use http::{HeaderMap, Uri};
    /// let (mut uri, mut headers) = (Uri::from_static("https://h/a(1)?b"), HeaderMap::new());
    /// Credentials::encoded_path("/a%281%29").commit(&mut uri, &mut headers)?;
    /// assert_eq!(uri, "https://h/a%281%29?b");
    /// let other = Credentials::encoded_path("/b").commit(&mut uri, &mut headers);
    /// assert_eq!(other.unwrap_err().code(), "credentials_path");
    /// # Ok::<_, auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn encoded_path(path: &str) -> Self {
        Self::made(Parts::One(Part::Path(path.into())))
    }

    /// Leaves the stamp of the scheme that made them.
    #[must_use]
    pub fn stamped(self, stamp: Stamp) -> Self {
        let mut made = self.into_made();
        made.stamps.push(stamp);
        Self(Layout::Made(made))
    }

    /// A copy to be kept and handed out many times: cloning it is no more than counting.
    ///
    /// It shares no memory with this one or any other copy, so that threads that clone copies of their own do not
    /// fight for a count, neither then nor when they commit.
    #[must_use]
    pub fn kept(&self) -> Self {
        let Made { parts, stamps } = self.as_made();
        Self(Layout::Shared(Arc::new(SharedParts(Made {
            parts: parts.apart(),
            stamps: stamps.clone(),
        }))))
    }

    /// One use of a token that has begun with the counter of its uses. It is over with
    /// [`uses_are_over`](Self::uses_are_over), or when these credentials are gone: whatever gave them out learns by that
    /// when no request is under way with the token any more. A clone is a use of its own.
    #[inline]
    #[must_use]
    pub fn counted(self, counter: Arc<dyn UseCounter>) -> Self {
        let begun = CountedUse::of(counter);
        match self.0 {
            Layout::Shared(kept) => Self(Layout::Counted(kept, begun)),
            _ => {
                let mut made = self.into_made();
                made.stamps.rest.push(Left::Use(begun));
                Self(Layout::Made(made))
            }
        }
    }

    /// The answer to their request is here: what happens to the tokens in them can do it no harm any more, though its
    /// caller may keep them for a while.
    pub fn uses_are_over(&self) {
        if let Layout::Counted(_, counted) = &self.0 {
            counted.end();
        }
        self.as_made().stamps.uses().for_each(CountedUse::end);
    }

    /// The stamps left on them.
    pub fn stamps(&self) -> impl Iterator<Item = Stamp> + '_ {
        let stamps = &self.as_made().stamps;
        let rest = stamps.rest.iter().filter_map(|left| match left {
            Left::Stamp(stamp) => Some(*stamp),
            Left::Use(_) => None,
        });
        stamps.first.into_iter().chain(rest)
    }

    /// What they set a header field to: for a scheme that compares an answer with what it sent.
    #[must_use]
    pub fn field(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.parts().iter().find_map(|part| match part {
            Part::Header(set, value) if set == name => Some(value),
            _ => None,
        })
    }

    /// Both together, with the stamps of both.
    ///
    /// # Errors
    ///
    /// `Error::Config` when both want the same header field, or both encode the path.
    pub fn and(self, other: Self) -> Result<Self> {
        let (mut one, other) = (self.into_made(), other.into_made());
        other.stamps.first.into_iter().for_each(|stamp| one.stamps.push(stamp));
        other.stamps.rest.into_iter().for_each(|left| match left {
            Left::Stamp(stamp) => one.stamps.push(stamp),
            counted @ Left::Use(_) => one.stamps.rest.push(counted),
        });
        one.parts = match (one.parts, other.parts) {
            (Parts::None, parts) | (parts, Parts::None) => parts,
            (a, b) => Parts::several(a.as_slice().iter().chain(b.as_slice()).cloned().collect())?,
        };
        Ok(Self(Layout::Made(one)))
    }

    /// Is there nothing to add?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts().is_empty()
    }

    /// Adds them to a request.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the request already has one of the fields, has no room for them, has no target that can take
    /// a query parameter, or has another path than the one that is encoded. The request is then as it was.
    pub fn commit(&self, uri: &mut Uri, headers: &mut HeaderMap) -> Result<()> {
        let parts = self.parts();
        for part in parts {
            match part {
                Part::Header(name, _) if headers.contains_key(name) => return Err(taken(name)),
                _ => {}
            }
        }
        let target = new_target(uri, parts)?;
        headers
            .try_reserve(parts.len())
            .map_err(|error| Error::config("credentials_no_room", error))?;
        for part in parts {
            if let Part::Header(name, value) = part {
                headers.insert(name, value.clone());
            }
        }
        if let Some(target) = target {
            *uri = target;
        }
        Ok(())
    }

    /// Does this text, which came from a server, repeat a secret of these credentials, or more than thirty bytes of one in
    /// a row? Then it is fit for no log.
    #[must_use]
    pub fn are_repeated_in(&self, text: &str) -> bool {
        self.parts().iter().any(|part| part.is_repeated_in(text.as_bytes()))
    }

    #[cold]
    fn copied(&self) -> Self {
        Self(self.0.clone())
    }

    fn parts(&self) -> &[Part] {
        self.as_made().parts.as_slice()
    }

    fn as_made(&self) -> &Made {
        match &self.0 {
            Layout::Made(made) => made,
            Layout::Shared(kept) | Layout::Counted(kept, _) => &kept.0,
        }
    }

    fn into_made(self) -> Made {
        match self.0 {
            Layout::Made(made) => made,
            Layout::Shared(kept) => kept.0.clone(),
            Layout::Counted(kept, counted) => {
                let mut made = kept.0.clone();
                made.stamps.rest.push(Left::Use(counted));
                made
            }
        }
    }
}

impl Clone for Credentials {
    #[inline]
    fn clone(&self) -> Self {
        match &self.0 {
            Layout::Shared(kept) => Self(Layout::Shared(Arc::clone(kept))),
            _ => self.copied(),
        }
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self::none()
    }
}

/// Shows what kind of things they add, never a value.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for part in self.parts() {
            match part {
                Part::Header(name, _) => list.entry(name),
                Part::Query(_) => list.entry(&"a query parameter"),
                Part::Path(_) => list.entry(&"the path, encoded"),
            };
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stamper;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn key(name: &'static str) -> Credentials {
        Credentials::header(HeaderName::from_static(name), HeaderValue::from_static("canary"))
            .unwrap()
    }

    #[track_caller]
    fn check(credentials: &Credentials, target: &'static str, expected: Result<&str, &str>) {
        let (mut uri, mut headers) = (Uri::from_static(target), HeaderMap::new());
        headers.insert("key", HeaderValue::from_static("typed by hand"));
        let before = (uri.clone(), headers.clone());
        let result = credentials.commit(&mut uri, &mut headers).map_err(|error| error.code());
        assert_eq!(result.map(|()| uri.to_string()).as_deref().map_err(|code| *code), expected);
        if expected.is_err() {
            assert_eq!((uri, headers), before, "a failed commit left a trace");
        }
    }

    #[test]
    fn commits_all_or_nothing() {
        check(&key("token"), "/", Ok("/"));
        check(&Credentials::query("a b", "c&d/é"), "/p", Ok("/p?a%20b=c%26d%2F%C3%A9"));
        check(&Credentials::query("k", "~v"), "https://h/?x", Ok("https://h/?x&k=~v"));
        let both = Credentials::query("k", "v").and(key("key")).unwrap();
        check(&both, "/", Err("credentials_header_taken"));
        check(&Credentials::query("k", &"v".repeat(1 << 16)), "/", Err("credentials_target"));
    }

    #[test]
    fn a_path_is_taken_in_another_encoding_and_no_other_path() {
        let path = |path: &str| Credentials::encoded_path(path);
        check(&path("/a%281%29"), "/a(1)?q=(1)", Ok("/a%281%29?q=(1)"));
        check(&path("/a(1)"), "/a%281%29", Ok("/a(1)"));
        check(&path("/%E2%82%AC"), "/%e2%82%ac", Ok("/%E2%82%AC"));
        check(&path("/100%25/%25zz"), "/100%/%zz", Ok("/100%25/%25zz"));
        check(&path("/a/../b"), "/a/../b", Ok("/a/../b"));
        let with_query = path("/%21").and(Credentials::query("k", "v")).unwrap();
        check(&with_query, "https://h/!?x", Ok("https://h/%21?x&k=v"));
        let refused = Err("credentials_path");
        check(&path("/b"), "/a", refused);
        check(&path("/a/"), "/a", refused);
        check(&path("/a//b"), "/a/b", refused);
        check(&path("/a/b"), "/a%2Fb", refused);
        check(&path("/a%2Fb"), "/a/b", refused);
        check(&path("/a/../b"), "/a/%2e%2E/b", refused);
        check(&path("/."), "/%2e", refused);
        check(&path("/a?b"), "/a%3Fb", refused);
        check(&path("/a#b"), "/a%23b", refused);
        check(&path(r"/a\..\b"), "/a%5C..%5Cb", refused);
        check(&path(r"/a\b"), r"/a\b", Ok(r"/a\b"));
        check(&path("/a%"), "/a", refused);
        check(&path(""), "/", refused);
        check(&path("/%28").and(key("key")).unwrap(), "/(", Err("credentials_header_taken"));
        assert_eq!(path("/").and(path("/")).unwrap_err().code(), "credentials_path_taken");
    }

    #[test]
    fn refuses_fields_that_route_or_frame() {
        for name in [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "keep-alive",
            "upgrade",
        ] {
            let refused =
                Credentials::header(HeaderName::from_static(name), HeaderValue::from_static("x"));
            assert_eq!(refused.unwrap_err().code(), "credentials_framing_header", "{name}");
        }
    }

    #[test]
    fn refuses_one_field_from_two_schemes() {
        assert_eq!(key("key").and(key("key")).unwrap_err().code(), "credentials_header_taken");
        let twice = [0, 1].map(|_| (HeaderName::from_static("a"), HeaderValue::from_static("b")));
        assert_eq!(Credentials::headers(twice).unwrap_err().code(), "credentials_header_taken");
    }

    #[test]
    fn joined_credentials_keep_all_parts_and_stamps() {
        let (a, b) = (Stamper::new(), Stamper::new());
        let joined = key("a").stamped(a.stamp(1)).and(key("b").stamped(b.stamp(2))).unwrap();
        assert_eq!((a.find(&joined), b.find(&joined)), (Some(1), Some(2)));
        assert_eq!(format!("{joined:?}"), r#"["a", "b"]"#);
    }

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl UseCounter for Counter {
        fn begin_another(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn end(&self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Credentials with a use that has begun, and how many are under way.
    fn counted(
        made: Credentials,
        counter: &Arc<Counter>,
    ) -> (Credentials, impl Fn() -> usize + use<>) {
        counter.begin_another();
        let made = made.counted(counter.clone());
        let counter = counter.clone();
        (made, move || counter.0.load(Ordering::Relaxed))
    }

    #[test]
    fn a_use_is_over_when_it_is_said_or_what_it_is_of_is_gone() {
        let stamper = Stamper::new();
        for made in [key("a"), key("a").kept()].map(|made| made.stamped(stamper.stamp(1))) {
            for made in [made.clone(), made.kept()] {
                let (made, under_way) = counted(made, &Arc::default());
                let other = made.clone();
                assert_eq!(under_way(), 2, "a clone is a use of its own");
                made.uses_are_over();
                made.uses_are_over();
                assert_eq!(under_way(), 1, "said twice it counts once");
                let again = made.clone();
                drop(made);
                assert_eq!(under_way(), 1, "what is over does not begin again, nor end twice");
                drop((other, again));
                assert_eq!(under_way(), 0);
            }
        }
    }

    #[test]
    fn joined_credentials_keep_the_uses_of_both() {
        let (counter, stamper) = (Arc::default(), Stamper::new());
        let (a, _) = counted(key("a").stamped(stamper.stamp(1)).kept(), &counter);
        let (b, under_way) = counted(key("b").stamped(Stamper::new().stamp(2)), &counter);
        let joined = a.and(b).unwrap();
        assert_eq!((stamper.find(&joined), joined.stamps().count()), (Some(1), 2));
        assert_eq!(under_way(), 2);
        joined.uses_are_over();
        assert_eq!(under_way(), 0);
        drop(joined);
        assert_eq!(under_way(), 0);
    }

    #[test]
    fn what_is_kept_says_the_same() {
        let stamper = Stamper::new();
        let headers = Credentials::headers([
            (http::header::AUTHORIZATION, HeaderValue::from_static("a")),
            (HeaderName::from_static("key"), HeaderValue::from_bytes(b"\xff").unwrap()),
        ]);
        let all = [
            Credentials::none(),
            key("a"),
            Credentials::query("k", "v"),
            Credentials::encoded_path("/"),
            headers.unwrap(),
        ];
        for credentials in all.map(|made| made.stamped(stamper.stamp(7))) {
            let committed = |credentials: &Credentials| {
                let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
                credentials.commit(&mut uri, &mut headers).unwrap();
                assert!(headers.values().all(HeaderValue::is_sensitive));
                (uri, headers)
            };
            let kept = credentials.kept();
            assert_eq!(committed(&kept.clone()), committed(&credentials));
            assert_eq!(
                (stamper.find(&kept), format!("{kept:?}")),
                (Some(7), format!("{credentials:?}"))
            );
            let both = kept.clone().stamped(Stamper::new().stamp(1)).and(key("b")).unwrap();
            assert_eq!(stamper.find(&both), Some(7));
            assert_eq!(kept.stamps().count(), 1, "the kept one is as it was");
        }
    }

    /// A path is one part among others, so that credentials without one are moved as cheaply as before.
    #[test]
    fn are_no_larger_for_what_they_may_carry() {
        assert!(size_of::<Credentials>() <= 120, "{}", size_of::<Credentials>());
        assert!(size_of::<Part>() <= 72, "{}", size_of::<Part>());
    }

    #[test]
    fn a_text_repeats_a_secret_whole_or_in_part_and_nothing_else() {
        let token = "mF_9.B5f-4.1JqM-and-so-on-for-long";
        let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let sent = Credentials::header(http::header::AUTHORIZATION, field).unwrap();
        let sent = sent.and(Credentials::query("apikey", "s3cr3t-of-a-query")).unwrap();
        for text in [
            token,
            "got mF_9.B5f-4.1JqM-an",
            "apikey=s3cr3t-of-a-query",
            "x_9.B5f-4.1JqM-and-so-on-for-lon",
        ] {
            assert!(sent.are_repeated_in(text), "{text}");
        }
        for text in ["", "invalid_token", "Bearer", "mF_9.B5", "apikey"] {
            assert!(!sent.are_repeated_in(text), "{text}");
        }
        assert!(!Credentials::none().are_repeated_in("invalid_token"));
    }

    #[test]
    fn marks_values_sensitive_and_shows_none() {
        let credentials = key("token").and(Credentials::query("apikey", "canary")).unwrap();
        assert!(!format!("{credentials:?}").contains("canary"));
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        credentials.commit(&mut uri, &mut headers).unwrap();
        assert!(headers["token"].is_sensitive());
    }
}
