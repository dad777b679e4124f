//! Real servers with Basic.

use super::servers::{PASSWORD, REALM, USER};
use conformance::{NotStarted, Place, Settings, Started, apache_on, output};
use std::{process::Command, time::Duration};

pub fn nginx(settings: &Settings) -> Result<Started, NotStarted> {
    let (program, place) = (settings.peer("nginx")?, with_basic(settings, "nginx")?);
    let (folder, port) = (place.folder.display(), place.port);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    let configuration = format!(
        "daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
         server {{\nlisten 127.0.0.1:{port};\nroot {folder};\n\
         auth_basic {REALM};\nauth_basic_user_file {folder}/users;\n}}\n}}\n"
    );
    place.start(&configuration, |file| {
        let mut command = Command::new(program);
        command.arg("-c").arg(file);
        command
    })
}

pub fn apache(settings: &Settings) -> Result<Started, NotStarted> {
    let program = settings.peer("apache2")?;
    let place = with_basic(settings, "apache")?;
    let folder = place.folder.display();
    let location = format!(
        "<Location />\nAuthType Basic\nAuthName {REALM}\nAuthUserFile {folder}/users\nRequire valid-user\n\
         </Location>\n"
    );
    let configuration = place.apache(&["auth_basic"], &location)?;
    place.start(&configuration, |file| apache_on(&program, file))
}

/// A place with the account for Basic in the file `users`.
fn with_basic(settings: &Settings, name: &str) -> Result<Place, NotStarted> {
    let place = Place::prepare(settings, name)?;
    let mut htpasswd = Command::new(settings.peer("htpasswd")?);
    let users = output(htpasswd.args(["-nbm", USER, PASSWORD]), Duration::from_secs(10))?;
    place.write("users", &users.stdout)?;
    Ok(place)
}
