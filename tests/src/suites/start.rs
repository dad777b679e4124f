//! Starting real servers, each from a configuration of our own; those with Basic.

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
    let (program, place) = (settings.peer("nginx")?, Place::with_basic(settings, "nginx")?);
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
    let place = Place::with_basic(settings, "apache")?;
    let folder = place.folder.display();
    let location = format!(
        "<Location />\nAuthType Basic\nAuthName {REALM}\nAuthUserFile {folder}/users\nRequire valid-user\n\
         </Location>\n"
    );
    let configuration = place.apache(&["auth_basic"], &location)?;
    place.start(&configuration, |file| apache_on(&program, file))
}

/// Apache, run from this configuration.
pub fn apache_on(program: &Path, configuration: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("-DFOREGROUND").arg("-f").arg(configuration);
    command
}

/// A folder with a page, and a port.
pub struct Place {
    pub folder: PathBuf,
    pub port: u16,
}

impl Place {
    pub fn prepare(settings: &Settings, name: &str) -> Result<Self, NotStarted> {
        let folder = settings.folder(name).map_err(|error| error.to_string())?;
        let port = free_port().map_err(|error| error.to_string())?;
        let place = Self { folder, port };
        place.write("page", "behind a password\n")?;
        Ok(place)
    }

    /// With the account for Basic in the file `users`.
    fn with_basic(settings: &Settings, name: &str) -> Result<Self, NotStarted> {
        let place = Self::prepare(settings, name)?;
        let mut htpasswd = Command::new(settings.peer("htpasswd")?);
        let users = output(htpasswd.args(["-nbm", USER, PASSWORD]), Duration::from_secs(10))?;
        place.write("users", &users.stdout)?;
        Ok(place)
    }

    /// What every configuration of Apache has, with these modules besides, and this at its end.
    pub fn apache(&self, modules: &[&str], rest: &str) -> Result<String, NotStarted> {
        const MODULES: &str = "/usr/lib/apache2/modules";
        const ALWAYS: [&str; 5] =
            ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user"];
        if !Path::new(MODULES).is_dir() {
            let what = format!("Debian's apache2, with its modules in {MODULES},");
            return Err(Missing::Peer(what).into());
        }
        let (folder, port) = (self.folder.display(), self.port);
        let modules: String = ALWAYS
            .iter()
            .chain(modules)
            .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
            .collect();
        Ok(format!(
            "ServerRoot {folder}\nPidFile {folder}/pid\nListen 127.0.0.1:{port}\nServerName localhost\n\
             User www-data\nGroup www-data\nMutex file:{folder} default\nErrorLog /dev/stderr\n\
             DocumentRoot {folder}\n{modules}{rest}"
        ))
    }

    /// Starts the program that reads this configuration from the file it is given, and waits until it takes
    /// connections.
    pub fn start(
        self,
        configuration: &str,
        command: impl FnOnce(&Path) -> Command,
    ) -> Result<Started, NotStarted> {
        self.write("configuration", configuration)?;
        let file = self.folder.join("configuration");
        let mut server = Server::start(&mut command(&file), &self.folder.join("log"))?;
        server.ready(self.port, Duration::from_secs(20))?;
        Ok(Started { page: format!("http://127.0.0.1:{}/page", self.port), _server: server })
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), String> {
        write(&self.folder.join(name), bytes.as_ref())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
