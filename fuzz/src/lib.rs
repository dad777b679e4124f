//! What must hold for any input. Each law is searched by the fuzz target of its name, and replayed by a test over the
//! committed seeds.

#![forbid(unsafe_code)]

mod address_list;
mod authorization;
mod callback;
mod challenges;
mod claims;
mod digest_challenge;
mod digest_response;
mod forged;
mod forwarded;
mod ibsso_answer;
mod ibsso_create;
mod ibsso_error;
mod imported_hash;
mod infobip_answer;
mod jwk;
mod jws;
mod jwt_verdicts;
mod lifecycle_sealed;
mod lifecycle_token;
mod location;
mod pem;
mod pkcs12;
mod redirect;
mod server_metadata;
mod sigv4_canonical;
mod sigv4_chunks;
mod sigv4_presented;
mod symphony_answer;
mod symphony_bdk;
mod symphony_certificate;
mod symphony_user_jwt;
mod token_answer;
mod token_error;
mod webex_answer;
mod webhook_authorization;
mod webhook_signature;
mod webhook_url;

pub use address_list::address_list;
pub use authorization::authorization;
pub use callback::callback;
pub use challenges::challenges;
pub use claims::claims;
pub use digest_challenge::digest_challenge;
pub use digest_response::digest_response;
pub use forwarded::forwarded;
pub use ibsso_answer::ibsso_answer;
pub use ibsso_create::ibsso_create;
pub use ibsso_error::ibsso_error;
pub use imported_hash::imported_hash;
pub use infobip_answer::infobip_answer;
pub use jwk::jwk;
pub use jws::jws;
pub use jwt_verdicts::jwt_verdicts;
pub use lifecycle_sealed::lifecycle_sealed;
pub use lifecycle_token::lifecycle_token;
pub use location::location;
pub use pem::pem;
pub use pkcs12::pkcs12;
pub use redirect::redirect;
pub use server_metadata::server_metadata;
pub use sigv4_canonical::sigv4_canonical;
pub use sigv4_chunks::sigv4_chunks;
pub use sigv4_presented::sigv4_presented;
pub use symphony_answer::symphony_answer;
pub use symphony_bdk::symphony_bdk;
pub use symphony_certificate::symphony_certificate;
pub use symphony_user_jwt::symphony_user_jwt;
pub use token_answer::token_answer;
pub use token_error::token_error;
pub use webex_answer::webex_answer;
pub use webhook_authorization::webhook_authorization;
pub use webhook_signature::webhook_signature;
pub use webhook_url::webhook_url;

/// Takes an input, and panics where it does not hold.
pub type Law = fn(&[u8]);

/// Every law, by the name of its target and of its folder of seeds.
pub const LAWS: [(&str, Law); 36] = [
    ("address_list", address_list),
    ("authorization", authorization),
    ("callback", callback),
    ("challenges", challenges),
    ("claims", claims),
    ("digest_challenge", digest_challenge),
    ("digest_response", digest_response),
    ("forwarded", forwarded),
    ("ibsso_answer", ibsso_answer),
    ("ibsso_create", ibsso_create),
    ("ibsso_error", ibsso_error),
    ("imported_hash", imported_hash),
    ("infobip_answer", infobip_answer),
    ("jwk", jwk),
    ("jws", jws),
    ("jwt_verdicts", jwt_verdicts),
    ("lifecycle_sealed", lifecycle_sealed),
    ("lifecycle_token", lifecycle_token),
    ("location", location),
    ("pem", pem),
    ("pkcs12", pkcs12),
    ("redirect", redirect),
    ("server_metadata", server_metadata),
    ("sigv4_canonical", sigv4_canonical),
    ("sigv4_chunks", sigv4_chunks),
    ("sigv4_presented", sigv4_presented),
    ("symphony_answer", symphony_answer),
    ("symphony_bdk", symphony_bdk),
    ("symphony_certificate", symphony_certificate),
    ("symphony_user_jwt", symphony_user_jwt),
    ("token_answer", token_answer),
    ("token_error", token_error),
    ("webex_answer", webex_answer),
    ("webhook_authorization", webhook_authorization),
    ("webhook_signature", webhook_signature),
    ("webhook_url", webhook_url),
];
