//! IP addresses in authentication: who is calling through proxies, who may use a credential from
//! where, and where requests may go whose URL somebody else chose.
//!
//! For servers that verify callers, platforms that let tenants restrict their keys to networks,
//! and everything that sends requests to URLs typed by tenants.
//!
//! * [`TrustedProxies`] finds the [`ClientAddress`] of a request, from the peer and the one field
//!   (`X-Forwarded-For` or `Forwarded`) that the proxies in front are known to write.
//! * [`AddressList`] holds addresses and networks: an IP allow list.
//! * [`DeniedRanges`] denies outgoing requests to everything that is not public (server-side
//!   request forgery).
//!
//! Nothing here does I/O: no socket is opened and no name is resolved, so a program that connects has to
//! ask [`DeniedRanges::permits`] about the address it connects to. The PROXY protocol is not
//! read. No question allocates, and no input makes it panic.
//!
//! The guide page `docs/guide/client-address.md` shows how to configure each of them.

mod address_list;
mod client_address;
mod denied_ranges;
mod forwarded;
mod host;
mod node;
mod special_ranges;
mod x_forwarded_for;

pub use address_list::{AddressList, AddressListError};
pub use client_address::{ClientAddress, ForwardingField, TrustedProxies, UnknownReason};
pub use denied_ranges::{DeniedDestination, DeniedRange, DeniedRanges, Destination};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/client-address.md")]
mod guide {}
