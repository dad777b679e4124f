//! A clock that can be told by a server that it is wrong.

use auth_core::{Answer, Clock, Credentials, Origin, Stamp, Stamper, Timestamp};
use http::header::DATE;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, UNIX_EPOCH},
};

/// A clock that is put right by the `Date` of an answer (RFC 9110 section 6.6.1), for schemes whose servers refuse what
/// was signed too early or too late.
///
/// A scheme dates its credentials with [`now_stamped`](Self::now_stamped) and leaves the stamp on them. When the server
/// refuses them because of their time, [`learn`](Self::learn) says whether signing again can help.
///
/// # Security
///
/// A peer that can move this clock can make us sign for another time. So it is learned only over https, from the one
/// origin it is for, at most a day to either side, and forgotten after an hour of steady time. One request corrects it
/// once at most: credentials that are refused although they were dated by a correction end that correction, and are not
/// signed again. The difference is measured against the clock beneath, so learning twice does not add up. Call
/// [`learn`](Self::learn) only where the refusal means that the times differ.
#[derive(Clone)]
pub struct LearnedClock(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    origin: Origin,
    stamper: Stamper,
    state: Mutex<State>,
}

/// What was learned, and how often that has begun and ended: an odd number of times while a correction is in force.
#[derive(Default)]
struct State {
    learned: Option<Learned>,
    generation: u64,
}

impl State {
    fn change(&mut self, learned: Option<Learned>) {
        *self = Self { learned, generation: self.generation + 1 };
    }
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
    /// The clock has been put right since the credentials were dated: what is signed again has another time.
    Learned,
    /// Nothing: the answer is not to be trusted with it, has no date, or one that is the same or too far away; or the
    /// credentials were dated by a correction already.
    Nothing,
}

impl LearnedClock {
    /// No difference is larger than this: a day.
    pub const MOST: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long a difference is remembered, in steady time: an hour.
    pub const REMEMBERED: Duration = Duration::from_secs(60 * 60);

    /// A clock over another, which only this origin may put right.
    pub fn new(clock: impl Clock + 'static, origin: Origin) -> Self {
        let (stamper, state) = (Stamper::new(), Mutex::default());
        Self(Arc::new(Inner { clock: Arc::new(clock), origin, stamper, state }))
    }

    /// The time, and the stamp to leave on credentials that are dated with it.
    #[must_use]
    pub fn now_stamped(&self) -> (Timestamp, Stamp) {
        let state = self.state();
        (self.read(&state), self.0.stamper.stamp(state.generation))
    }

    /// Learns from an answer that refused these credentials because of their time.
    ///
    /// Credentials without a stamp of this clock teach it nothing.
    pub fn learn(&self, sent: &Credentials, answer: Answer<'_>) -> ClockLesson {
        let (Some(generation), Some(theirs)) = (self.0.stamper.find(sent), self.told(answer))
        else {
            return ClockLesson::Nothing;
        };
        let mut state = self.state();
        if generation % 2 == 1 {
            if generation == state.generation {
                state.change(None);
            }
            return ClockLesson::Nothing;
        }
        if state.learned.is_some() {
            return ClockLesson::Learned;
        }
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
        state.change(Some(Learned { offset, since: self.0.clock.steady() }));
        ClockLesson::Learned
    }

    /// The time that an answer tells, if it is one to be trusted.
    fn told(&self, answer: Answer<'_>) -> Option<Timestamp> {
        let origin = &self.0.origin;
        let trusted = origin.is_encrypted() && origin.covers(answer.request.uri);
        let date = answer.headers.get(DATE).filter(|_| trusted)?.to_str().ok()?;
        let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp::default().after(since))
    }

    /// As it is now: what was learned an hour ago is forgotten.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |since| self.0.clock.steady().saturating_duration_since(since);
        if state.learned.is_some_and(|learned| age(learned.since) >= Self::REMEMBERED) {
            state.change(None);
        }
        state
    }

    fn read(&self, state: &State) -> Timestamp {
        let ours = self.0.clock.now();
        match state.learned {
            None => ours,
            Some(Learned { offset: Offset::Ahead(span), .. }) => ours.after(span),
            Some(Learned { offset: Offset::Behind(span), .. }) => ours.before(span),
        }
    }
}

impl Clock for LearnedClock {
    fn now(&self) -> Timestamp {
        self.read(&self.state())
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
    const DAY: u64 = 24 * 60 * 60;
    const URL: &str = "https://a.example/sms";

    fn over(beneath: &ManualClock) -> LearnedClock {
        LearnedClock::new(beneath.clone(), "https://a.example".parse().unwrap())
    }

    /// As credentials are dated, sent, and refused for their time.
    fn dated(clock: &LearnedClock) -> Credentials {
        Credentials::none().stamped(clock.now_stamped().1)
    }

    fn refused(clock: &LearnedClock, sent: &Credentials, url: &str, date: &str) -> ClockLesson {
        let (uri, before) = (url.parse::<Uri>().unwrap(), HeaderMap::new());
        let headers = HeaderMap::from_iter([(DATE, HeaderValue::from_str(date).unwrap())]);
        let view = RequestView::new(&Method::GET, &uri, &before);
        clock.learn(sent, Answer::new(view, StatusCode::FORBIDDEN, &headers))
    }

    /// The clock beneath is wrong by so many seconds; what does ours say after the lesson?
    #[track_caller]
    fn check(wrong_by: i64, url: &str, date: &str, expected: ClockLesson) {
        let beneath = ManualClock::at(THEN.checked_add_signed(wrong_by).unwrap());
        let clock = over(&beneath);
        assert_eq!(refused(&clock, &dated(&clock), url, date), expected);
        let says = if expected == ClockLesson::Learned { THEN } else { beneath.now().unix() };
        assert_eq!(clock.now().unix(), says);
        beneath.advance(Duration::from_secs(3599));
        assert_eq!(clock.now().unix(), says + 3599);
        beneath.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), beneath.now(), "forgotten after an hour");
    }

    #[test]
    fn is_put_right_by_its_origin_alone_and_by_a_day_at_most() {
        let day = i64::try_from(DAY).unwrap();
        for wrong_by in [-day, -901, -300, -2, 2, 300, 901, day] {
            check(wrong_by, URL, DATE_THEN, ClockLesson::Learned);
        }
        for wrong_by in [-day - 1, -1, 0, 1, day + 1] {
            check(wrong_by, URL, DATE_THEN, ClockLesson::Nothing);
        }
        for url in
            ["http://a.example/sms", "https://b.example/sms", "https://a.example:8443/sms", "/sms"]
        {
            check(300, url, DATE_THEN, ClockLesson::Nothing);
        }
        check(300, URL, "yesterday", ClockLesson::Nothing);
        check(300, URL, "", ClockLesson::Nothing);
    }

    #[test]
    fn is_not_put_right_over_plain_http_even_by_its_origin() {
        let clock =
            LearnedClock::new(ManualClock::at(THEN - 300), "http://a.example".parse().unwrap());
        let lesson = refused(&clock, &dated(&clock), "http://a.example/sms", DATE_THEN);
        assert_eq!(lesson, ClockLesson::Nothing);
    }

    /// A server that names another time in each refusal gets one signature more, and no clock that follows it.
    #[test]
    fn one_request_corrects_it_once_and_a_second_refusal_ends_the_correction() {
        let beneath = ManualClock::at(THEN - 300);
        let clock = over(&beneath);
        for _ in 0..3 {
            let first = dated(&clock);
            assert_eq!(refused(&clock, &first, URL, DATE_THEN), ClockLesson::Learned);
            assert_eq!(clock.now().unix(), THEN);
            let second = dated(&clock);
            let later = "Sun, 06 Nov 1994 09:49:37 GMT";
            assert_eq!(refused(&clock, &second, URL, later), ClockLesson::Nothing);
            assert_eq!(clock.now(), beneath.now(), "a correction that was refused is gone");
        }
    }

    /// Nor do requests that are under way at once.
    #[test]
    fn requests_at_once_are_signed_again_once_each() {
        let clock = over(&ManualClock::at(THEN - 300));
        let first = [(); 3].map(|()| dated(&clock));
        for sent in &first {
            assert_eq!(refused(&clock, sent, URL, DATE_THEN), ClockLesson::Learned);
        }
        let second = [(); 3].map(|()| dated(&clock));
        for sent in &second {
            assert_eq!(refused(&clock, sent, URL, DATE_THEN), ClockLesson::Nothing);
        }
        assert_eq!(clock.now().unix(), THEN - 300);
        assert_eq!(refused(&clock, &dated(&clock), URL, DATE_THEN), ClockLesson::Learned);
        assert_eq!(refused(&clock, &second[0], URL, DATE_THEN), ClockLesson::Nothing);
        assert_eq!(clock.now().unix(), THEN, "a late one ends no correction but its own");
    }

    /// A thousand requests that were dated before are signed again with the time that the first of them taught.
    #[test]
    fn one_refusal_teaches_for_all_that_were_dated_before_it() {
        let clock = over(&ManualClock::at(THEN - 300));
        let sent: Vec<_> = (0..1000).map(|_| dated(&clock)).collect();
        std::thread::scope(|scope| {
            for part in sent.chunks(100) {
                let clock = &clock;
                scope.spawn(move || {
                    for sent in part {
                        assert_eq!(refused(clock, sent, URL, DATE_THEN), ClockLesson::Learned);
                    }
                });
            }
        });
        assert_eq!(clock.now().unix(), THEN);
        assert_eq!(refused(&clock, &sent[0], URL, "yesterday"), ClockLesson::Nothing);
    }

    /// Somebody sets the clock beneath right: the correction, now wrong, costs one request and no more.
    #[test]
    fn a_correction_of_a_clock_that_was_set_right_since_ends_with_the_next_refusal() {
        let beneath = ManualClock::at(THEN - 300);
        let clock = over(&beneath);
        assert_eq!(refused(&clock, &dated(&clock), URL, DATE_THEN), ClockLesson::Learned);
        beneath.set(Timestamp::from_unix(THEN));
        assert_eq!(refused(&clock, &dated(&clock), URL, DATE_THEN), ClockLesson::Nothing);
        assert_eq!(clock.now().unix(), THEN);
    }

    #[test]
    fn credentials_that_it_did_not_date_teach_it_nothing() {
        let (clock, other) = (over(&ManualClock::at(THEN - 300)), over(&ManualClock::at(THEN)));
        for sent in [Credentials::none(), dated(&other)] {
            assert_eq!(refused(&clock, &sent, URL, DATE_THEN), ClockLesson::Nothing);
        }
        assert_eq!(clock.now().unix(), THEN - 300);
    }

    /// Somebody sets the clock beneath: what was learned is forgotten after an hour all the same.
    #[test]
    fn is_forgotten_after_an_hour_whatever_the_clock_beneath_is_set_to() {
        for set_to in [THEN - DAY / 2, THEN + DAY / 2] {
            let beneath = ManualClock::at(THEN - 300);
            let clock = over(&beneath);
            assert_eq!(refused(&clock, &dated(&clock), URL, DATE_THEN), ClockLesson::Learned);
            beneath.set(Timestamp::from_unix(set_to));
            beneath.advance(Duration::from_secs(3599));
            assert_eq!(clock.now(), beneath.now().after(Duration::from_secs(300)));
            beneath.advance(Duration::from_secs(1));
            assert_eq!(clock.now(), beneath.now());
            assert_eq!(
                refused(&clock, &dated(&clock), URL, DATE_THEN),
                ClockLesson::Learned,
                "what was forgotten is learned again"
            );
        }
    }
}
