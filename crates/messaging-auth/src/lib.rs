//! Authentication for messaging platforms, on both ends of the wire
