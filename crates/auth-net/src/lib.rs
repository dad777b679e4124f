//! Client address behind trusted proxies, address lists, denied ranges

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
pub use denied_ranges::{Denied, DeniedRange, DeniedRanges, Destination};
