//! Whole requests, as users feel them: a server behind the layer, and clients that authenticate, each beside the same
//! without authentication and beside what one would write by hand.

mod by_hand;
mod clients;
mod requests;
mod servers;
mod tokens;
mod wire;

use harness::{
    case::Group,
    processor::{Processor, ProcessorCase},
};

/// Instructions and allocations: servers over a pipe in memory, clients over loopback.
pub fn groups() -> Vec<Group> {
    let mut groups = servers::groups();
    groups.extend(clients::groups());
    groups
}

/// The same over loopback, by the processor's time. For information: no target is held to it.
pub fn processor() -> Processor {
    let case = |(name, make)| ProcessorCase { name, make };
    let cases = servers::over_loopback().into_iter().chain(clients::over_loopback());
    Processor { name: "live-processor-time", cases: cases.map(case).collect() }
}
