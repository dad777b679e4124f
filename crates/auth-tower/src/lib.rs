//! Authentication layers for tower servers and clients, and an axum extractor
