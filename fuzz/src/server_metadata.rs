//! The input is the metadata of an authorization server, and an issuer that a person typed.

use auth_core::Origin;
use auth_oauth2::{AuthorizationServerMetadata, MetadataLocation};
use http::{Response, Uri};
use serde_json::Value;

const ISSUER: &str = "https://login.example";

/// Metadata is of the issuer that was asked, and names endpoints that a client may use; an issuer is asked at its own
/// origin alone.
pub fn server_metadata(data: &[u8]) {
    let answer = Response::new(data.to_vec());
    match AuthorizationServerMetadata::read(&answer, ISSUER) {
        Ok(read) => {
            let object: Value = serde_json::from_slice(data).expect("JSON");
            assert_eq!(object.get("issuer").and_then(Value::as_str), Some(ISSUER));
            assert_eq!(&*read.issuer, ISSUER);
            let authorize = read.authorization_endpoint.iter().map(|url| &**url);
            for url in authorize.chain([read.token_endpoint.url()]) {
                assert!(url.len() <= 12 * data.len() + 64, "longer than it was written");
                assert!(!url.contains('#'), "a fragment");
                let uri: Uri = url.parse().expect("a URL that a request can have");
                let origin = Origin::of(&uri).expect("an origin");
                assert!(origin.is_encrypted() || origin.is_loopback(), "a plain one");
                assert!(!uri.authority().expect("a host").as_str().contains('@'), "a user");
            }
        }
        Err(error) => assert!(format!("{error} {error:?}").len() < 4096, "more than a message"),
    }
    let Ok(issuer) = std::str::from_utf8(data) else { return };
    for location in [MetadataLocation::OAuth, MetadataLocation::OpenId] {
        let Ok(asked) = AuthorizationServerMetadata::exchange(issuer, location) else { continue };
        let uri = asked.request().uri();
        let origin = Origin::of(uri).expect("an origin");
        assert!(origin.is_encrypted() || origin.is_loopback(), "a plain one");
        assert!(uri.query().is_none(), "a query");
        assert!(uri.path().contains("/.well-known/"), "another place: {uri}");
        // A host that is written plainly is the one that is asked.
        let typed = issuer.strip_prefix("https://").unwrap_or_default();
        let typed = typed.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
        let is_name = typed.bytes().all(|byte| byte.is_ascii_alphabetic() || b".-".contains(&byte));
        assert!(
            typed.is_empty()
                || !is_name
                || typed.trim_end_matches('.') == origin.host().trim_end_matches('.'),
            "{issuer} asks {uri}"
        );
    }
}
