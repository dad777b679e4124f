//! Credentials that are sent as they are: none, Basic, API key, Bearer
