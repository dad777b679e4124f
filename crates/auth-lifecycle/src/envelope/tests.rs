use super::*;
use auth_testing::SeededRandom;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

fn wrapper(id: &str, key: u8) -> LocalKeyWrapper {
    LocalKeyWrapper::new(id, &Secret::new([key; 32]), SeededRandom::new(key.into())).unwrap()
}

fn sealer(wrapper: impl KeyWrapper + 'static) -> EnvelopeSealer {
    EnvelopeSealer::new(wrapper, SeededRandom::new(9))
}

/// Calls `work` with a place, whose parts live no longer than the call.
fn at<T>(tenant: &str, work: impl FnOnce(EnvelopePlace<'_>) -> T) -> T {
    let tenant = TenantId::new(tenant);
    work(EnvelopePlace {
        tenant: &tenant,
        group: &["billing", "service_key"],
        credential: "k7",
        generation: 3,
        purpose: "verify",
    })
}

fn seal(sealer: &EnvelopeSealer, secret: &str) -> Sealed {
    at("acme", |place| sealer.seal(place, &Secret::from(secret))).wait().unwrap()
}

fn open(sealer: &EnvelopeSealer, sealed: &Sealed) -> Result<Secret> {
    at("acme", |place| sealer.open(place, sealed)).wait()
}

#[test]
fn opens_what_it_sealed_through_the_bytes_of_a_row() {
    let sealer = sealer(wrapper("2026", 1));
    for secret in ["", "s", "a service key", &"k".repeat(EnvelopeSealer::MOST_SECRET_BYTES)] {
        let row = seal(&sealer, secret).to_bytes();
        let sealed = Sealed::from_bytes(&row).unwrap();
        assert_eq!(sealed.to_bytes(), row);
        assert_eq!(sealed.key_id(), "2026");
        assert!(open(&sealer, &sealed).unwrap().matches(secret.as_bytes()));
        assert_eq!(row.len(), 1 + 1 + 4 + 2 + 61 + secret.len() + 16);
    }
}

#[test]
fn a_key_in_this_process_is_asked_at_once() {
    let sealer = sealer(wrapper("2026", 1));
    let sealed = seal(&sealer, "secret");
    assert!(at("acme", |place| sealer.seal(place, &Secret::from("secret")).is_ready()));
    assert!(at("acme", |place| sealer.open(place, &sealed).is_ready()));
    assert!(sealer.rewrap(&sealed).is_ready());
}

#[test]
fn a_secret_that_is_too_long_is_not_sealed() {
    let secret = Secret::new(vec![1; EnvelopeSealer::MOST_SECRET_BYTES + 1]);
    let error = at("acme", |place| sealer(wrapper("k", 1)).seal(place, &secret).wait());
    assert_eq!(error.unwrap_err().code(), "lifecycle_envelope_length");
}

#[test]
fn opens_for_its_own_place_alone() {
    let sealer = sealer(wrapper("2026", 1));
    let sealed = seal(&sealer, "secret");
    let other = TenantId::new("other");
    at("acme", |place| {
        for elsewhere in [
            EnvelopePlace { tenant: &other, ..place },
            EnvelopePlace { group: &["billing", "service_jwt"], ..place },
            EnvelopePlace { group: &["billing"], ..place },
            EnvelopePlace { group: &[], ..place },
            EnvelopePlace { group: &["billing", "service_key", ""], ..place },
            EnvelopePlace { group: &["billings", "ervice_key"], ..place },
            EnvelopePlace { credential: "k8", ..place },
            EnvelopePlace { generation: 2, ..place },
            EnvelopePlace { purpose: "reveal", ..place },
        ] {
            let error = sealer.open(elsewhere, &sealed).wait().unwrap_err();
            assert_eq!(error.code(), "lifecycle_envelope_broken", "{elsewhere:?}");
            let text = error.to_string();
            assert!(text.contains(&format!("{:?}", elsewhere.credential)), "{text}");
            assert!(text.contains(elsewhere.purpose), "{text}");
        }
    });
    assert!(open(&sealer, &sealed).unwrap().matches(b"secret"));
}

#[test]
fn no_two_places_are_written_alike() {
    let tenants = ["a", "ab", "b", ""].map(TenantId::new);
    let groups: &[&[&str]] = &[&[], &[""], &["b"], &["b", ""], &["", "b"], &["b", "c"], &["bc"]];
    let mut seen = Vec::new();
    for tenant in &tenants {
        for &group in groups {
            for credential in ["", "b", "bc", "c"] {
                for purpose in ["", "b", "c"] {
                    for generation in [0, 1, 1 << 56] {
                        let place =
                            EnvelopePlace { tenant, group, credential, generation, purpose };
                        seen.push(place.to_bytes());
                    }
                }
            }
        }
    }
    let places = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), places);
}

#[test]
fn a_changed_byte_opens_nothing() {
    let sealer = sealer(wrapper("2026", 1));
    let row = seal(&sealer, "the secret").to_bytes();
    for place in 0..row.len() {
        for change in [0x01, 0x80] {
            let mut row = row.clone();
            row[place] ^= change;
            let opened = Sealed::from_bytes(&row).and_then(|sealed| open(&sealer, &sealed));
            let code = opened.unwrap_err().code();
            assert!(code.starts_with("lifecycle_envelope_"), "byte {place}: {code}");
        }
        let cut = Sealed::from_bytes(&row[..place]).and_then(|sealed| open(&sealer, &sealed));
        assert!(cut.is_err(), "cut at {place}");
    }
}

#[test]
fn the_parts_of_two_records_do_not_fit_together() {
    let sealer = sealer(wrapper("2026", 1));
    let [one, other] = ["secret", "secret"].map(|secret| seal(&sealer, secret));
    assert_ne!(one.ciphertext(), other.ciphertext(), "each has its own data key");
    let mixed = Sealed::new(one.wrapped_key().clone(), other.ciphertext().to_vec()).unwrap();
    assert_eq!(open(&sealer, &mixed).unwrap_err().code(), "lifecycle_envelope_broken");
}

#[track_caller]
fn check(row: &[u8], expected: &str) {
    let code = Sealed::from_bytes(row).map(|_| ()).map_err(|error| error.code());
    assert_eq!(code, Err(expected), "{}", row.escape_ascii());
}

#[test]
fn the_form_is_strict_and_bounded() {
    let tag = [0; 16];
    let row = |id: &[u8], wrapped: &[u8], ciphertext: &[u8]| {
        let id_length = u8::try_from(id.len()).unwrap();
        let length = u16::try_from(wrapped.len()).unwrap().to_be_bytes();
        [&[1, id_length], id, &length, wrapped, ciphertext].concat()
    };
    let longest = vec![0; EnvelopeSealer::MOST_SECRET_BYTES + 16];
    for right in [
        row(b"k", b"w", &tag),
        row(&[b'k'; 255], &[0; 4096], &longest),
        row(b"arn:aws:kms:eu-west-1:111122223333:key/1234abcd", b"w", &tag),
    ] {
        assert_eq!(Sealed::from_bytes(&right).unwrap().to_bytes(), right);
        assert!(right.len() <= 70 * 1024);
    }
    let syntax = "lifecycle_envelope_syntax";
    check(b"", syntax);
    check(b"\x01", syntax);
    check(b"\x01\xff", syntax);
    check(&row(b"", b"w", &tag), syntax);
    check(&row(b"a b", b"w", &tag), syntax);
    check(&row(b"a\n", b"w", &tag), syntax);
    check(&row("\u{e9}".as_bytes(), b"w", &tag), syntax);
    check(&row(b"\xff", b"w", &tag), syntax);
    check(&row(b"k", b"", &tag), syntax);
    check(&row(b"k", &[0; 4097], &tag), syntax);
    check(&row(b"k", b"w", &tag[1..]), syntax);
    check(&row(b"k", b"w", &[&longest[..], &[0]].concat()), syntax);
    check(&[&[0], &row(b"k", b"w", &tag)[1..]].concat(), "lifecycle_envelope_version");
    check(&[&[2], &row(b"k", b"w", &tag)[1..]].concat(), "lifecycle_envelope_version");
}

#[test]
fn a_master_key_is_replaced_without_touching_what_was_sealed() {
    let old = sealer(wrapper("2025", 1));
    let sealed = seal(&old, "secret");
    let both = wrapper("2026", 2).with_older_key("2025", &Secret::new([1; 32])).unwrap();
    let both = sealer(both);
    assert!(open(&both, &sealed).unwrap().matches(b"secret"));
    let rewrapped = both.rewrap(&sealed).wait().unwrap().unwrap();
    assert_eq!((sealed.key_id(), rewrapped.key_id()), ("2025", "2026"));
    assert_eq!(rewrapped.ciphertext(), sealed.ciphertext());
    assert_eq!(both.rewrap(&rewrapped).wait().unwrap(), None, "it is so already");

    let new = sealer(wrapper("2026", 2));
    assert!(open(&new, &rewrapped).unwrap().matches(b"secret"));
    let error = open(&new, &sealed).unwrap_err();
    assert_eq!(error.code(), "lifecycle_envelope_key_unknown");
    assert!(error.to_string().contains("\"2025\""), "{error}");
    assert_eq!(new.rewrap(&sealed).wait().unwrap_err().code(), "lifecycle_envelope_key_unknown");
}

#[test]
fn a_key_of_the_same_name_is_not_the_same_key() {
    let sealed = seal(&sealer(wrapper("2026", 1)), "secret");
    let error = open(&sealer(wrapper("2026", 2)), &sealed).unwrap_err();
    assert_eq!(error.code(), "lifecycle_envelope_key_wrong");
}

/// The same master key under two names: a record that is made to name the other one does not open.
#[test]
fn a_wrapped_key_is_bound_to_the_name_of_its_master_key() {
    let keys = wrapper("2026", 1).with_older_key("2025", &Secret::new([1; 32])).unwrap();
    let mut wrapped = keys.wrap_key(&Secret::new([5; 32])).wait().unwrap();
    assert!(keys.unwrap_key(&wrapped).wait().unwrap().matches(&[5; 32]));
    wrapped.key_id = "2025".into();
    let error = keys.unwrap_key(&wrapped).wait().unwrap_err();
    assert_eq!(error.code(), "lifecycle_envelope_key_wrong");
}

#[test]
fn a_wrapped_key_of_another_version_or_cut_off_does_not_open() {
    let keys = wrapper("2026", 1);
    let wrapped = keys.wrap_key(&Secret::new([5; 32])).wait().unwrap();
    let [nonce, other] = [(); 2].map(|()| keys.wrap_key(&Secret::new([5; 32])).wait().unwrap());
    assert_ne!(nonce.bytes[1..13], other.bytes[1..13], "each has its own nonce");
    let mut newer = wrapped.clone();
    newer.bytes[0] = 2;
    let cut = |length| WrappedKey { bytes: wrapped.bytes[..length].to_vec(), ..wrapped.clone() };
    for wrong in [newer, cut(0), cut(1), cut(12), cut(13), cut(28), cut(60)] {
        let error = keys.unwrap_key(&wrong).wait().unwrap_err();
        assert_eq!(error.code(), "lifecycle_envelope_key_wrong", "{} bytes", wrong.bytes.len());
    }
}

#[test]
fn master_keys_have_32_bytes_and_names_of_their_own() {
    let key = |bytes| Secret::new(vec![1; bytes]);
    let make = |id: &str, bytes| LocalKeyWrapper::new(id, &key(bytes), SeededRandom::new(1));
    for bytes in [0, 16, 31, 33, 44, 64] {
        let error = make("k", bytes).unwrap_err();
        assert_eq!(error.code(), "lifecycle_envelope_key_length");
        assert!(error.to_string().contains(&format!("{bytes} bytes")), "{error}");
    }
    for id in ["", "a b", "k\n", "\u{e9}", &"k".repeat(256)] {
        assert_eq!(make(id, 32).unwrap_err().code(), "lifecycle_envelope_key_id", "{id:?}");
    }
    let twice = |id| {
        make("k", 32).unwrap().with_older_key("o", &key(32)).unwrap().with_older_key(id, &key(32))
    };
    for id in ["k", "o"] {
        assert_eq!(twice(id).unwrap_err().code(), "lifecycle_envelope_key_twice");
    }
    assert!(twice("p").is_ok());
}

#[test]
fn nothing_shows_a_secret() {
    let keys = wrapper("2026", 0x41);
    let wrapped = keys.wrap_key(&Secret::new([0x42; 32])).wait().unwrap();
    assert_eq!(format!("{wrapped:?}"), "WrappedKey(\"2026\" ..)");
    assert_eq!(format!("{keys:?}"), "LocalKeyWrapper { newest: \"2026\", older: [], .. }");
    let sealer = sealer(keys);
    let sealed = seal(&sealer, "the plain secret");
    assert_eq!(format!("{sealed:?} {sealer:?}"), "Sealed(..) EnvelopeSealer(..)");
    let row = sealed.to_bytes();
    let data_key = sealer.wrapper.unwrap_key(sealed.wrapped_key()).wait().unwrap();
    for planted in [&b"plain"[..], &[0x41; 8], &data_key.expose()[..8], b"acme", b"billing"] {
        assert!(!row.windows(planted.len()).any(|part| part == planted), "{planted:?}");
    }
}

/// A key management service: it answers when it is told, on another thread, and counts what it was asked.
#[derive(Default)]
struct Service {
    asked: AtomicUsize,
    waiting: Mutex<Vec<mpsc::Sender<()>>>,
    lies: Mutex<Option<WrappedKey>>,
}

impl Service {
    fn answer_all(&self) {
        self.waiting.lock().unwrap().clear();
    }

    fn later<T: Send + 'static>(&self, value: T) -> Flow<'_, T> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (told, tell) = mpsc::channel::<()>();
        self.waiting.lock().unwrap().push(told);
        Flow::new(async move {
            // Good for a test alone, which has a thread for each flow.
            let _ = tell.recv();
            Ok(value)
        })
    }
}

impl KeyWrapper for Service {
    fn newest_key_id(&self) -> Arc<str> {
        "service".into()
    }

    fn wrap_key(&self, data_key: &Secret) -> Flow<'_, WrappedKey> {
        let bytes = data_key.expose().iter().map(|byte| byte ^ 0x55).collect();
        let honest = WrappedKey { key_id: self.newest_key_id(), bytes };
        self.later(self.lies.lock().unwrap().clone().unwrap_or(honest))
    }

    fn unwrap_key(&self, wrapped: &WrappedKey) -> Flow<'_, Secret> {
        let data_key: Vec<u8> = wrapped.bytes.iter().map(|byte| byte ^ 0x55).collect();
        self.later(Secret::new(data_key))
    }
}

#[test]
fn a_service_may_answer_late_to_many_and_to_some_that_have_gone() {
    let service = Arc::new(Service::default());
    let sealer = sealer(Arc::clone(&service));
    let mut flows: Vec<_> = (0..32)
        .map(|number| {
            at("acme", |place| sealer.seal(place, &Secret::from(format!("secret {number}"))))
        })
        .collect();
    assert_eq!(service.asked.load(Ordering::Relaxed), 32);
    assert!(flows.iter().all(|flow| !flow.is_ready()));
    drop(flows.drain(16..));
    service.answer_all();
    let sealed: Vec<_> = flows.into_iter().map(|flow| flow.wait().unwrap()).collect();
    thread::scope(|scope| {
        for (number, sealed) in sealed.iter().enumerate() {
            let flow = at("acme", |place| sealer.open(place, sealed));
            scope.spawn(move || {
                let opened = flow.wait().unwrap();
                assert!(opened.matches(format!("secret {number}").as_bytes()));
            });
        }
        service.answer_all();
    });
    assert_eq!(sealer.rewrap(&sealed[0]).wait().unwrap(), None);
    assert_eq!(service.asked.load(Ordering::Relaxed), 48, "and rewrapping asked nothing");
}

#[test]
fn what_a_wrapper_gives_is_checked_before_it_is_stored_or_used() {
    let service = Arc::new(Service::default());
    let sealer = sealer(Arc::clone(&service));
    let lie = |key_id: &str, bytes: usize| {
        let lie = WrappedKey { key_id: key_id.into(), bytes: vec![7; bytes] };
        *service.lies.lock().unwrap() = Some(lie);
        let flow = at("acme", |place| sealer.seal(place, &Secret::from("secret")));
        service.answer_all();
        flow.wait()
    };
    for (key_id, bytes, expected) in [
        ("", 32, "lifecycle_envelope_key_id"),
        ("a key", 32, "lifecycle_envelope_key_id"),
        ("k", 0, "lifecycle_envelope_wrapped_key"),
        ("k", 4097, "lifecycle_envelope_wrapped_key"),
    ] {
        assert_eq!(lie(key_id, bytes).unwrap_err().code(), expected);
    }
    for (bytes, expected) in [
        (31, "lifecycle_envelope_data_key"),
        (33, "lifecycle_envelope_data_key"),
        (32, "lifecycle_envelope_broken"),
    ] {
        let sealed = lie("k", bytes).unwrap();
        let flow = at("acme", |place| sealer.open(place, &sealed));
        service.answer_all();
        assert_eq!(flow.wait().unwrap_err().code(), expected);
    }
    let sealed = lie("older", 31).unwrap();
    let flow = sealer.rewrap(&sealed);
    service.answer_all();
    assert_eq!(flow.wait().unwrap_err().code(), "lifecycle_envelope_data_key");
}

struct Failing;

impl KeyWrapper for Failing {
    fn newest_key_id(&self) -> Arc<str> {
        "failing".into()
    }

    fn wrap_key(&self, _data_key: &Secret) -> Flow<'_, WrappedKey> {
        Flow::failed(Error::transport("test_service", "down"))
    }

    fn unwrap_key(&self, _wrapped: &WrappedKey) -> Flow<'_, Secret> {
        Flow::failed(Error::transport("test_service", "down"))
    }
}

impl Random for Failing {
    fn fill(&self, _bytes: &mut [u8]) -> Result<()> {
        Err(Error::unavailable("test_random", None, "no bytes"))
    }
}

#[test]
fn a_failure_of_the_wrapper_or_of_the_randomness_is_passed_on_as_it_is() {
    let down = EnvelopeSealer::new(Box::new(Failing), SeededRandom::new(1));
    let sealed = seal(&sealer(wrapper("2026", 1)), "secret");
    let secret = Secret::from("secret");
    at("acme", |place| {
        assert_eq!(down.seal(place, &secret).wait().unwrap_err().code(), "test_service");
        assert_eq!(down.open(place, &sealed).wait().unwrap_err().code(), "test_service");
        assert_eq!(down.rewrap(&sealed).wait().unwrap_err().code(), "test_service");
        let without = EnvelopeSealer::new(wrapper("2026", 1), Failing);
        assert_eq!(without.seal(place, &secret).wait().unwrap_err().code(), "test_random");
        let without = LocalKeyWrapper::new("2026", &Secret::new([1; 32]), Failing).unwrap();
        assert_eq!(sealer(without).seal(place, &secret).wait().unwrap_err().code(), "test_random");
    });
}
