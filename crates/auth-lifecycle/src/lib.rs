//! Credentials that a platform issues, from their creation to their end.
