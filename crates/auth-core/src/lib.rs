//! The shapes of authentication on both ends of the wire, without I/O
