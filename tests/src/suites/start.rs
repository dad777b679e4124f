//! Starting real servers with Basic, each from a configuration of our own.

use super::servers::{PASSWORD, REALM, USER};
use crate::conformance::{Missing, Server, Settings, free_port, output};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A server that runs until it is dropped, and a page behind its Basic.
pub struct Started {
    pub page: String,
    _server: Server,
}

/// Why there is none.
pub enum NotStarted {
    Missing(Missing),
    Failed(String),
}

impl From<Missing> for NotStarted {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<String> for NotStarted {
    fn from(what: String) -> Self {
        Self::Failed(what)
    }
}

pub fn nginx(settings: &Settings) -> Result<Started, NotStarted> {
    let (program, place) = (settings.peer("nginx")?, Place::prepare(settings, "nginx")?);
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
    const MODULES: &str = "/usr/lib/apache2/modules";
    let program = settings.peer("apache2")?;
    if !Path::new(MODULES).is_dir() {
        return Err(
            Missing::Peer(format!("Debian's apache2, with its modules in {MODULES},")).into()
        );
    }
    let place = Place::prepare(settings, "apache")?;
    let (folder, port) = (place.folder.display(), place.port);
    let modules: String =
        ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"]
            .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
            .concat();
    let configuration = format!(
        "ServerRoot {folder}\nPidFile {folder}/pid\nListen 127.0.0.1:{port}\nServerName localhost\n\
         User www-data\nGroup www-data\nMutex file:{folder} default\nErrorLog /dev/stderr\nDocumentRoot {folder}\n\
         {modules}<Location />\nAuthType Basic\nAuthName {REALM}\nAuthUserFile {folder}/users\n\
         Require valid-user\n</Location>\n"
    );
    place.start(&configuration, |file| {
        let mut command = Command::new(program);
        command.arg("-DFOREGROUND").arg("-f").arg(file);
        command
    })
}

/// A folder with a page and the account, and a port.
struct Place {
    folder: PathBuf,
    port: u16,
}

impl Place {
    fn prepare(settings: &Settings, name: &str) -> Result<Self, NotStarted> {
        let folder = settings.folder(name).map_err(|error| error.to_string())?;
        let port = free_port().map_err(|error| error.to_string())?;
        let mut htpasswd = Command::new(settings.peer("htpasswd")?);
        let users = output(htpasswd.args(["-nbm", USER, PASSWORD]), Duration::from_secs(10))?;
        write(&folder.join("users"), &users.stdout)?;
        write(&folder.join("page"), b"behind Basic\n")?;
        Ok(Self { folder, port })
    }

    fn start(
        self,
        configuration: &str,
        command: impl FnOnce(&Path) -> Command,
    ) -> Result<Started, NotStarted> {
        let file = self.folder.join("configuration");
        write(&file, configuration.as_bytes())?;
        let mut server = Server::start(&mut command(&file), &self.folder.join("log"))?;
        server.ready(self.port, Duration::from_secs(10))?;
        Ok(Started { page: format!("http://127.0.0.1:{}/page", self.port), _server: server })
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
