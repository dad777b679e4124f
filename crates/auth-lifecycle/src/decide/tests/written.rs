//! What is written of a credential, field by field.

use super::*;
use auth_core::Scopes;
use auth_net::AddressList;

/// The credential that a command of an owner leaves behind, by name.
#[track_caller]
fn left(credentials: Vec<Credential>, command: Command, event: &str, name: &str) -> Credential {
    let done = check_in(&three(), credentials, command, Ok(event)).unwrap();
    done.change.unwrap().credentials.into_iter().find(|one| *one.id.as_str() == *name).unwrap()
}

#[test]
fn an_import_is_a_credential_like_any_other() {
    let imported =
        left(vec![active("c1")], Command::Import(Box::new(new("c2"))), "imported c2", "c2");
    assert_eq!((imported.state, imported.kept), (State::Active, new("c2").kept));
}

#[test]
fn a_password_that_is_hashed_anew_changes_nothing_else() {
    let before = Credential { dependants: vec!["cron".into()], ..active("c1") };
    let material = Material::PasswordHash(Arc::new("new".into()));
    let command = |generation| Command::Rehash {
        credential: id("c1"),
        generation,
        material: material.clone(),
    };
    let order = by(Role::System, command(before.generation));
    let done = check_order(&three(), vec![before.clone()], &order, Ok("rehashed c1")).unwrap();
    let kept = Kept { material: material.clone(), ..before.kept.clone() };
    assert_eq!(done.change.unwrap().credentials, [Credential { kept, ..before.clone() }]);
    let older = by(Role::System, command(before.generation + 1));
    let done = check_order(&three(), vec![before], &older, Ok("")).unwrap();
    assert_eq!(done.change, None, "the password was replaced meanwhile");
}

#[test]
fn of_a_deleted_credential_only_its_name_is_left() {
    let dependants = vec!["cron".into()];
    let before = Credential { dependants, ..sealed(inactive("c2")) };
    let event = "deleted c2 inactive>deleted";
    let command = delete("c2", Some(proof("c2")));
    let deleted = left(vec![active("c1"), before.clone()], command, event, "c2");
    assert!(deleted.dependants.is_empty());
    assert_eq!(deleted.kept.material, Material::Nothing);
    assert_eq!(deleted.kept.fingerprint, before.kept.fingerprint, "it never returns");
}

#[test]
fn a_successor_has_what_it_is_not_given_from_the_one_before() {
    let scopes = |text: &str| text.split(' ').collect::<Scopes>();
    let list = |text: &str| Some(text.parse::<AddressList>().unwrap());
    let before = Credential {
        label: "cron".into(),
        scopes: scopes("sms mail"),
        allowed_addresses: list("192.0.2.0/24"),
        ..active("c1")
    };
    let check = |new: NewCredential, expected: (&str, Scopes, Option<AddressList>)| {
        let event = "created c2, rotation_started c1";
        let made = left(vec![before.clone()], rotate("c1", new), event, "c2");
        let (label, scopes, addresses) = expected;
        assert_eq!((&*made.label, made.scopes, made.allowed_addresses), (label, scopes, addresses));
    };
    check(new("c2"), ("cron", scopes("sms mail"), list("192.0.2.0/24")));
    let other = NewCredential {
        label: "web".into(),
        scopes: scopes("sms"),
        allowed_addresses: list("203.0.113.7"),
        ..new("c2")
    };
    check(other, ("web", scopes("sms"), list("203.0.113.7")));
}
