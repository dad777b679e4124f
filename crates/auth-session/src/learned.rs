//! A clock that can be told by a server that it is wrong.

use auth_core::{Answer, Clock, Origin, Timestamp};
use http::header::DATE;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, UNIX_EPOCH},
};

/// A clock that is put right by the `Date` of an answer (RFC 9110 section 6.6.1), for schemes whose servers refuse what
/// was signed too early or too late.
///
/// # Security
///
/// A peer that can move this clock can make us sign for another time. So it is learned only over https, from the one origin
/// it is for, at most 15 minutes to either side, and forgotten after an hour. Call [`learn`](Self::learn) only where the
/// refusal means that the times differ. The difference is measured against the clock beneath: learning twice does not
/// add up.
#[derive(Clone)]
pub struct LearnedClock(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    origin: Origin,
    learned: Mutex<Option<Learned>>,
}

#[derive(Clone, Copy)]
struct Learned {
    offset: Offset,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offset {
    Ahead(Duration),
    Behind(Duration),
}

/// What the clock learned from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockLesson {
    /// The clock was put right: what is signed again has another time.
    Learned,
    /// Nothing: the answer is not to be trusted with it, has no date, or one that is the same or too far away.
    Nothing,
}

impl LearnedClock {
    /// No difference is larger than this.
    pub const MOST: Duration = Duration::from_secs(15 * 60);

    const FOR: Duration = Duration::from_secs(60 * 60);

    /// A clock over another, which only this origin may put right.
    pub fn new(clock: impl Clock + 'static, origin: Origin) -> Self {
        let inner = Inner { clock: Arc::new(clock), origin, learned: Mutex::default() };
        Self(Arc::new(inner))
    }

    /// Learns from an answer that refused a request because of its time.
    pub fn learn(&self, answer: Answer<'_>) -> ClockLesson {
        let origin = &self.0.origin;
        let trusted = origin.is_encrypted() && origin.covers(answer.request.uri);
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let (true, Some(since)) = (trusted, since) else { return ClockLesson::Nothing };
        let theirs = Timestamp::default().after(since);
        let ours = self.0.clock.now();
        let offset = if theirs > ours {
            Offset::Ahead(theirs.since(ours))
        } else {
            Offset::Behind(ours.since(theirs))
        };
        let (Offset::Ahead(span) | Offset::Behind(span)) = offset;
        // A date has whole seconds, and the answer took its time.
        if span <= Duration::from_secs(1) || span > Self::MOST {
            return ClockLesson::Nothing;
        }
        let mut learned = self.0.learned.lock().unwrap_or_else(PoisonError::into_inner);
        *learned = Some(Learned { offset, since: self.0.clock.steady() });
        ClockLesson::Learned
    }
}

impl Clock for LearnedClock {
    fn now(&self) -> Timestamp {
        let ours = self.0.clock.now();
        let learned = *self.0.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |since| self.0.clock.steady().saturating_duration_since(since);
        match learned.filter(|learned| age(learned.since) < Self::FOR) {
            None => ours,
            Some(Learned { offset: Offset::Ahead(span), .. }) => ours.after(span),
            Some(Learned { offset: Offset::Behind(span), .. }) => ours.before(span),
        }
    }

    /// That of the clock beneath: a server puts moments right, never spans.
    fn steady(&self) -> Instant {
        self.0.clock.steady()
    }
}

impl fmt::Debug for LearnedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LearnedClock(from {})", self.0.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::RequestView;
    use auth_testing::ManualClock;
    use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7.
    const THEN: u64 = 784_111_777;
    const DATE_THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn learn(clock: &LearnedClock, url: &'static str, date: &str) -> ClockLesson {
        let (uri, sent) = (Uri::from_static(url), HeaderMap::new());
        let headers = HeaderMap::from_iter([(DATE, HeaderValue::from_str(date).unwrap())]);
        let view = RequestView::new(&Method::GET, &uri, &sent);
        clock.learn(Answer::new(view, StatusCode::FORBIDDEN, &headers))
    }

    /// The clock beneath is wrong by so many seconds; what does ours say after the lesson?
    #[track_caller]
    fn check(wrong_by: i64, url: &'static str, date: &str, expected: ClockLesson) {
        let beneath = ManualClock::at(THEN.checked_add_signed(wrong_by).unwrap());
        let clock = LearnedClock::new(beneath.clone(), "https://a.example".parse().unwrap());
        assert_eq!(learn(&clock, url, date), expected);
        let says = if expected == ClockLesson::Learned { THEN } else { beneath.now().unix() };
        assert_eq!(clock.now().unix(), says);
        // Learning again adds nothing.
        learn(&clock, url, date);
        assert_eq!(clock.now().unix(), says);
        beneath.advance(Duration::from_secs(3599));
        assert_eq!(clock.now().unix(), says + 3599);
        beneath.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), beneath.now(), "forgotten after an hour");
    }

    #[test]
    fn is_put_right_by_its_origin_alone_and_not_by_much() {
        let url = "https://a.example/sms";
        check(-300, url, DATE_THEN, ClockLesson::Learned);
        check(300, url, DATE_THEN, ClockLesson::Learned);
        check(900, url, DATE_THEN, ClockLesson::Learned);
        check(901, url, DATE_THEN, ClockLesson::Nothing);
        check(-901, url, DATE_THEN, ClockLesson::Nothing);
        check(1, url, DATE_THEN, ClockLesson::Nothing);
        check(0, url, DATE_THEN, ClockLesson::Nothing);
        check(300, "http://a.example/sms", DATE_THEN, ClockLesson::Nothing);
        check(300, "https://b.example/sms", DATE_THEN, ClockLesson::Nothing);
        check(300, "https://a.example:8443/sms", DATE_THEN, ClockLesson::Nothing);
        check(300, url, "yesterday", ClockLesson::Nothing);
        check(300, url, "", ClockLesson::Nothing);
    }

    /// Somebody sets the clock beneath: what was learned is forgotten after an hour all the same.
    #[test]
    fn is_forgotten_after_an_hour_whatever_the_clock_beneath_is_set_to() {
        for set_to in [THEN - 86_400, THEN + 86_400] {
            let beneath = ManualClock::at(THEN - 300);
            let clock = LearnedClock::new(beneath.clone(), "https://a.example".parse().unwrap());
            assert_eq!(learn(&clock, "https://a.example/sms", DATE_THEN), ClockLesson::Learned);
            beneath.set(Timestamp::from_unix(set_to));
            beneath.advance(Duration::from_secs(3599));
            assert_eq!(clock.now(), beneath.now().after(Duration::from_secs(300)));
            beneath.advance(Duration::from_secs(1));
            assert_eq!(clock.now(), beneath.now());
        }
    }
}
