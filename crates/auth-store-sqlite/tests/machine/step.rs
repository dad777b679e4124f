//! What may be done next. Numbers choose among what is there.

use auth_lifecycle::Kind;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) what: What,
    /// The credential or the service that it is about.
    pub(crate) which: usize,
    /// The actor that gives it.
    pub(crate) actor: usize,
    /// The idempotency key, of few, so that some are used again.
    pub(crate) key: Option<u8>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    CreateService,
    Create(Kind),
    ReplaceSession,
    Import,
    /// Of the version that was seen, or of an older one.
    Discard {
        is_stale: bool,
    },
    Reactivate,
    Delete,
    Regenerate,
    Rotate {
        overlap_s: u64,
    },
    CancelRetire,
    Revoke {
        breaks_glass: bool,
    },
    Reveal,
    Update(u8),
    Bind(u8),
    Unbind(u8),
    Destroy,
    ActAs,
    ReportLeaked,
    RetireDue,
    Use {
        ago_s: u64,
        source: u8,
    },
    /// Time passes.
    Pass {
        span_s: u64,
    },
    /// Somebody sets the clock, ahead or back.
    Leap {
        by_s: i64,
    },
    TrustClock,
    /// Both processes start again.
    Restart,
}

const KINDS: [Kind; 5] =
    [Kind::ServiceKey, Kind::ServiceJwtSecret, Kind::ProfileKey, Kind::ApiKey, Kind::IbssoSession];

const DAY: u64 = 24 * 3600;

pub(crate) fn steps() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        1 => Just(What::CreateService),
        6 => (0..KINDS.len()).prop_map(|kind| What::Create(KINDS[kind])),
        1 => Just(What::ReplaceSession),
        1 => Just(What::Import),
        4 => (0..4).prop_map(|n| What::Discard { is_stale: n == 0 }),
        2 => Just(What::Reactivate),
        2 => Just(What::Delete),
        2 => Just(What::Regenerate),
        3 => (0..2 * DAY).prop_map(|overlap_s| What::Rotate { overlap_s }),
        1 => Just(What::CancelRetire),
        2 => any::<bool>().prop_map(|breaks_glass| What::Revoke { breaks_glass }),
        1 => Just(What::Reveal),
        1 => (0..4_u8).prop_map(What::Update),
        1 => (0..3_u8).prop_map(What::Bind),
        1 => (0..3_u8).prop_map(What::Unbind),
        1 => Just(What::Destroy),
        1 => Just(What::ActAs),
        1 => Just(What::ReportLeaked),
        3 => Just(What::RetireDue),
        2 => (0..DAY, 0..12_u8).prop_map(|(ago_s, source)| What::Use { ago_s, source }),
        3 => (0..60 * DAY).prop_map(|span_s| What::Pass { span_s }),
        1 => (-86_400_i64 * 40..86_400 * 40).prop_map(|by_s| What::Leap { by_s }),
        1 => Just(What::TrustClock),
        1 => Just(What::Restart),
    ];
    let key = prop_oneof![4 => Just(None), 1 => (0..6_u8).prop_map(Some)];
    let actor = prop_oneof![9 => Just(0), 1 => 1..5_usize];
    (what, any::<usize>(), actor, key).prop_map(|(what, which, actor, key)| Step {
        what,
        which,
        actor,
        key,
    })
}
