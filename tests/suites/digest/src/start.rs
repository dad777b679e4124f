//! Starting real servers with Digest, each from a configuration of our own, and each with a log of what it was asked:
//! per request the status, and the credentials that came with it.

use super::{PASSWORD, REALM, USER};
use conformance::{Missing, NotStarted, Place, Settings, Started, apache_on, output, script};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A server that runs until it is dropped.
pub struct Logging {
    pub base: String,
    /// One line for each request.
    pub log: PathBuf,
    _started: Started,
}

/// MD5 and `auth`, as most installations have it; below `/short` a nonce lives for a second.
pub fn apache(settings: &Settings) -> Result<Logging, NotStarted> {
    let program = settings.peer("apache2")?;
    let place = Place::prepare(settings, "digest-apache")?;
    place.write("users", htdigest(settings, "md5", false)?)?;
    let folder = place.folder.display().to_string();
    let location = |path: &str, seconds: u32| {
        format!(
            "<Location {path}>\nAuthType Digest\nAuthName {REALM}\nAuthDigestProvider file\nAuthDigestQop auth\n\
             AuthDigestNonceLifetime {seconds}\nAuthUserFile {folder}/users\nRequire valid-user\n</Location>\n"
        )
    };
    let rest = format!(
        "LogFormat \"%>s %{{Authorization}}i\" said\nCustomLog {folder}/said said\nAlias /short {folder}\n{}{}",
        location("/", 300),
        location("/short", 1)
    );
    let configuration = place.apache(&["auth_digest", "alias"], &rest)?;
    logging(place, "said", &configuration, |file| apache_on(&program, file))
}

/// One path for each algorithm, one with two challenges, and one with userhash.
pub fn lighttpd(settings: &Settings) -> Result<Logging, NotStarted> {
    let program = settings.peer("lighttpd")?;
    let tee = settings.peer("tee")?;
    let place = Place::prepare(settings, "digest-lighttpd")?;
    let (folder, port) = (place.folder.display().to_string(), place.port);
    let mut paths = String::new();
    for (path, algorithm, function) in [
        ("md5", "MD5", "md5"),
        ("sha-256", "SHA-256", "sha256"),
        ("sha-512-256", "SHA-512-256", "sha512_256"),
        ("two", "SHA-256|MD5", "sha256"),
        ("userhash", "SHA-256", "sha256"),
    ] {
        let hashed = path == "userhash";
        fs::create_dir_all(place.folder.join(path)).map_err(|error| error.to_string())?;
        place.write(&format!("{path}/page"), "behind Digest\n")?;
        place.write(&format!("{path}.users"), htdigest(settings, function, hashed)?)?;
        let more = if hashed { "\"userhash\" => \"enable\", " } else { "" };
        paths.push_str(&format!(
            "$HTTP[\"url\"] =~ \"^/{path}/\" {{\nauth.backend = \"htdigest\"\n\
             auth.backend.htdigest.userfile = \"{folder}/{path}.users\"\n\
             auth.require = (\"/{path}/\" => (\"method\" => \"digest\", \"algorithm\" => \"{algorithm}\", {more}\
             \"realm\" => \"{REALM}\", \"require\" => \"valid-user\"))\n}}\n"
        ));
    }
    let configuration = format!(
        "server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_accesslog\")\n\
         server.document-root = \"{folder}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
         server.errorlog = \"{folder}/errors\"\nmimetype.assign = (\"\" => \"text/plain\")\n\
         accesslog.format = \"%s %{{Authorization}}i\"\n\
         accesslog.filename = \"|{} {folder}/said\"\n{paths}",
        tee.display()
    );
    logging(place, "said", &configuration, |file| {
        let mut command = Command::new(program);
        command.arg("-D").arg("-f").arg(file);
        command
    })
}

/// Also `auth-int`.
pub fn httpbin(settings: &Settings) -> Result<Logging, NotStarted> {
    python(settings, "httpbin", "httpbin")
}

/// A server that keeps its nonces in a cookie.
pub fn flask(settings: &Settings) -> Result<Logging, NotStarted> {
    python(settings, "flask", "flask_httpauth")
}

fn python(settings: &Settings, kind: &str, library: &str) -> Result<Logging, NotStarted> {
    let python = settings.own_python(library).map_err(|_| Missing::Peer(library.into()))?;
    let place = Place::prepare(settings, &format!("digest-{kind}"))?;
    let script = script("digest_servers.py");
    let port = place.port.to_string();
    logging(place, "log", "", |_| {
        let mut command = Command::new(python);
        command.arg(script).args([kind, &port, REALM, USER, PASSWORD]);
        command
    })
}

/// A proxy; its nonces serve three times.
pub fn squid(settings: &Settings) -> Result<Logging, NotStarted> {
    const HELPER: &str = "/usr/lib/squid/digest_file_auth";
    let program = settings.peer("squid")?;
    if !Path::new(HELPER).is_file() {
        return Err(Missing::Peer(format!("Debian's squid, with its {HELPER},")).into());
    }
    let place = Place::prepare(settings, "digest-squid")?;
    // It gives up root's rights, and then writes.
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&place.folder, open).map_err(|error| error.to_string())?;
    place.write("users", htdigest(settings, "md5", false)?)?;
    let (folder, port) = (place.folder.display().to_string(), place.port);
    let configuration = format!(
        "http_port 127.0.0.1:{port}\nvisible_hostname localhost\npid_filename {folder}/pid\ncache deny all\n\
         cache_log {folder}/cache.log\ncoredump_dir {folder}\nshutdown_lifetime 0 seconds\nmax_filedescriptors 1024\n\
         pinger_enable off\nlogfile_rotate 0\nlogformat said %>Hs %'{{Proxy-Authorization}}>h\n\
         access_log stdio:{folder}/said logformat=said\n\
         auth_param digest program {HELPER} -c {folder}/users\nauth_param digest children 1\n\
         auth_param digest realm {REALM}\nauth_param digest nonce_max_count 3\n\
         acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
    );
    logging(place, "said", &configuration, |file| {
        let mut command = Command::new(program);
        command.arg("-N").arg("-f").arg(file);
        command
    })
}

fn logging(
    place: Place,
    log: &str,
    configuration: &str,
    command: impl FnOnce(&Path) -> Command,
) -> Result<Logging, NotStarted> {
    let (base, log) = (format!("http://127.0.0.1:{}", place.port), place.folder.join(log));
    Ok(Logging { base, log, _started: place.start(configuration, command)? })
}

/// A line of an htdigest file, as Python's hashes make it.
fn htdigest(settings: &Settings, function: &str, userhash: bool) -> Result<Vec<u8>, NotStarted> {
    const SCRIPT: &str = "import hashlib, sys\n\
        function, user, realm, password, userhash = sys.argv[1:]\n\
        h = lambda text: hashlib.new(function, text.encode()).hexdigest()\n\
        line = [user, realm, h(f'{user}:{realm}:{password}')]\n\
        print(':'.join(line + [h(f'{user}:{realm}')] * (userhash == 'true')))";
    let mut python = Command::new(settings.peer("python3")?);
    python.args(["-c", SCRIPT, function, USER, REALM, PASSWORD, &userhash.to_string()]);
    Ok(output(&mut python, Duration::from_secs(10))?.stdout)
}
