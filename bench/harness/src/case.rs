//! What is measured: groups of cases over one input.

/// One call, set up and ready.
pub type Call = Box<dyn FnMut()>;

/// Cases that do the same to the same input.
pub struct Group {
    pub name: &'static str,
    /// The input, and where the boundary is: a pure function, or through a trait.
    pub input: &'static str,
    /// Ratios are to the first: a floor where there is one.
    pub cases: Vec<Case>,
}

pub struct Case {
    pub name: &'static str,
    pub role: Role,
    /// Sets up what is kept between calls; what every call has to do is inside.
    pub make: fn() -> Call,
}

pub enum Role {
    /// What has to be done in any case, written by hand.
    Floor,
    Peer,
    Ours(Target),
}

/// What we promise.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the instructions of the first case, and so many allocations.
    OfFirst { ratio: Option<f64>, allocations: u64 },
    /// At most so many instructions and allocations more than the first case; counting allocations is not counted.
    Beyond { instructions: u64, allocations: u64 },
    /// As many instructions as the first case, within a fiftieth on either side, and so many allocations: what it costs
    /// must not show which case it was.
    AsFirst { allocations: u64 },
    /// At most so many instructions and allocations in all.
    AtMost { instructions: u64, allocations: u64 },
}

pub fn floor(name: &'static str, make: fn() -> Call) -> Case {
    Case { name, role: Role::Floor, make }
}

pub fn peer(name: &'static str, make: fn() -> Call) -> Case {
    Case { name, role: Role::Peer, make }
}

pub fn ours(name: &'static str, ratio: Option<f64>, allocations: u64, make: fn() -> Call) -> Case {
    Case { name, role: Role::Ours(Target::OfFirst { ratio, allocations }), make }
}

pub fn ours_beyond(
    name: &'static str,
    (instructions, allocations): (u64, u64),
    make: fn() -> Call,
) -> Case {
    Case { name, role: Role::Ours(Target::Beyond { instructions, allocations }), make }
}

pub fn as_first(name: &'static str, allocations: u64, make: fn() -> Call) -> Case {
    Case { name, role: Role::Ours(Target::AsFirst { allocations }), make }
}

pub fn most(
    name: &'static str,
    (instructions, allocations): (u64, u64),
    make: fn() -> Call,
) -> Case {
    Case { name, role: Role::Ours(Target::AtMost { instructions, allocations }), make }
}

/// Boxes a closure whose result must not be optimised away.
pub fn call<R>(mut work: impl FnMut() -> R + 'static) -> Call {
    Box::new(move || {
        std::hint::black_box(work());
    })
}
