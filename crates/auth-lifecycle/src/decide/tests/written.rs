//! What is written of a credential, field by field.

use super::*;

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
    assert_eq!(deleted.dependants, [] as [Arc<str>; 0]);
    assert_eq!(deleted.kept.material, Material::Nothing);
    assert_eq!(deleted.kept.fingerprint, before.kept.fingerprint, "it never returns");
}
