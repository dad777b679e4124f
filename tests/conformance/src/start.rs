//! Starting real servers, each from a configuration of our own.

use super::{Missing, Server, Settings, free_port};
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
