//! What a list shows of credentials.
#![allow(clippy::unwrap_used)]

mod common;

use auth_lifecycle::{CredentialView, Kind, NewSecret, TokenFormat, Wanted, masked_token};
use common::{Platform, text};

fn imported(platform: &Platform, kind: Kind, secret: NewSecret) -> CredentialView {
    let wanted = Wanted { secret, ..Wanted::default() };
    let made = platform.by().import(Some(&platform.service), kind, wanted).wait().unwrap().unwrap();
    made.credential
}

fn end(view: &CredentialView) -> &str {
    view.id.as_str().get(29..).unwrap()
}

#[test]
fn two_credentials_are_told_apart_by_their_masks_and_no_secret_is_shown() {
    let platform = Platform::new();
    let foreign = NewSecret::Given("0f8fad5b-d9cb-469f-a165-70867728950e".into());
    let foreign = imported(&platform, Kind::ApiKey, foreign);
    assert_eq!(*foreign.mask, *format!("imported ....{}", end(&foreign)));
    assert!(!foreign.mask.contains("950e"));
    let hashed = imported(&platform, Kind::ApiKey, NewSecret::Sha256([1; 32]));
    assert_eq!(*hashed.mask, *format!("imported ....{}", end(&hashed)));
    // One in the form of the registry's own tokens shows its public part.
    let format = TokenFormat::new("ak", "live").unwrap();
    let token = format.generate(&auth_core::SystemRandom::new()).unwrap();
    let own = imported(&platform, Kind::ApiKey, NewSecret::Given(token.expose().into()));
    assert_eq!(*own.mask, *masked_token(token.expose()));
    let made = platform.make(Kind::ApiKey, NewSecret::Generated);
    assert_eq!(*made.credential.mask, *masked_token(&text(&made)));
    let jwt = platform.make(Kind::ServiceJwtSecret, NewSecret::Generated).credential;
    assert_eq!(*jwt.mask, *format!("....{}", end(&jwt)));
}

#[test]
fn a_view_has_the_version_that_the_next_command_expects() {
    let platform = Platform::new();
    let first = platform.make(Kind::ServiceKey, NewSecret::Generated).credential;
    assert_eq!(first.group_version, 2);
    let seen = platform.by().credential(&first.id).wait().unwrap().unwrap();
    let discarded =
        platform.by().expecting(seen.group_version).discard(&first.id, seen.group_version);
    let discarded = discarded.wait().unwrap().unwrap();
    assert_eq!(discarded.group_version, seen.group_version + 1);
    let groups = platform.by().list(Some(&platform.service)).wait().unwrap().unwrap();
    for group in groups {
        assert!(group.credentials.iter().all(|it| it.group_version == group.version));
    }
    let dry_run = platform.by().dry_run(&first.id).wait().unwrap().unwrap();
    assert_eq!(dry_run.version, dry_run.credential.group_version);
}
