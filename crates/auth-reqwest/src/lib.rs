//! Authenticated requests with reqwest, and a hardened transport for token endpoints
