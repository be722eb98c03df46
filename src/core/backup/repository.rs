//! Where a repository is: a folder, a server, or anything that an installed rclone reaches.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::error::{Error, Kind, Result};

/// What a repository's address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A server that speaks restic's protocol: the URL, which may hold a password.
    Rest(String),
    /// What rclone reaches, in rclone's own words.
    Rclone(String),
}

/// A repository and the file that holds its password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its address as people may see it, without a password.
    pub url: String,
    /// The file that holds the password.
    pub key: PathBuf,
    /// The address with its password, where it holds one. Never written anywhere.
    #[serde(skip)]
    secret: Option<String>,
    /// The password that somebody typed, where no file holds it. Never written anywhere.
    #[serde(skip)]
    password: Option<String>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("url", &self.url).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Repository {
    /// A repository at an address: a folder, `rest:`, `sftp:`, `s3:` or `rclone:`.
    pub fn new(address: &str, key: PathBuf) -> Result<Self> {
        let place = place(address)?;
        let (url, secret) = match &place {
            Place::Folder(folder) => (folder.to_string_lossy().into_owned(), None),
            Place::Rest(_) | Place::Rclone(_) => {
                let shown = without_password(address);
                let secret = (shown != address).then(|| address.to_owned());
                (shown, secret)
            }
        };
        Ok(Self { url, key, secret, password: None })
    }

    /// The address as it is, for the one that opens it.
    pub fn address(&self) -> &str {
        self.secret.as_deref().unwrap_or(&self.url)
    }

    /// What its address means.
    pub fn place(&self) -> Result<Place> {
        place(self.address())
    }

    /// The folder it is in, where it is in one of this machine.
    pub fn folder(&self) -> Option<&Path> {
        let scheme = self.url.split_once(':').map(|(scheme, _)| scheme);
        let remote = scheme.is_some_and(|scheme| matches!(scheme, "rest" | "sftp" | "s3" | "rclone"));
        (!remote).then(|| Path::new(&self.url))
    }

    /// The password that somebody typed.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The same repository with a password that somebody typed.
    #[must_use]
    pub fn with_password(self, password: String) -> Self {
        Self { password: Some(password), ..self }
    }

    /// What is never written down, to be handed from one process to another.
    pub fn secrets(&self) -> String {
        match &self.password {
            Some(password) => format!("{}\0{password}", self.address()),
            None => self.address().to_owned(),
        }
    }

    /// The same repository with what was handed over.
    #[must_use]
    pub fn opened_by(self, secrets: &str) -> Self {
        let (address, password) = match secrets.split_once('\0') {
            Some((address, password)) => (address, Some(password.to_owned())),
            None => (secrets, None),
        };
        let secret = (address != self.url).then(|| address.to_owned());
        Self { secret, password, ..self }
    }
}

/// Reads an address.
fn place(address: &str) -> Result<Place> {
    let wrong = |why: &str| {
        Error::new(Kind::Usage, format!("“{}” is no repository: {why}", without_password(address))).hint(
            "a folder, rest:https://host/path, sftp:user@host:/path, s3:host/bucket or rclone:remote:path",
        )
    };
    let Some((scheme, rest)) = address.split_once(':') else {
        if address.is_empty() {
            return Err(wrong("it is empty"));
        }
        return Ok(Place::Folder(address.into()));
    };
    match scheme {
        "local" => Ok(Place::Folder(rest.into())),
        _ if address.starts_with(['/', '.', '~']) => Ok(Place::Folder(address.into())),
        "rest" if rest.starts_with("http://") || rest.starts_with("https://") => Ok(Place::Rest(rest.into())),
        "rest" => Err(wrong("after rest: comes http:// or https://")),
        "rclone" if rest.contains(':') => Ok(Place::Rclone(rest.into())),
        "rclone" => Err(wrong("after rclone: comes the name of a remote, a colon and a path")),
        "sftp" => sftp(rest).map(Place::Rclone).ok_or_else(|| wrong("after sftp: comes user@host:/path")),
        "s3" => s3(rest).map(Place::Rclone).ok_or_else(|| wrong("after s3: comes host/bucket/path")),
        _ => Err(wrong(&format!("{scheme}: is not known"))),
    }
}

/// `user@host:/path` or `//user@host:port/path` as rclone writes it.
fn sftp(rest: &str) -> Option<String> {
    let (login, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/')?;
            let (login, path) = rest.split_at(at);
            (login, path.strip_prefix('/').filter(|path| path.starts_with('/')).unwrap_or(path))
        }
        None => rest.split_once(':')?,
    };
    let (user, host) = match login.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, login),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (host, None),
    };
    let mut spec = format!(":sftp,host={}", quoted(host)?);
    if let Some(user) = user {
        spec = format!("{spec},user={}", quoted(user)?);
    }
    if let Some(port) = port {
        spec = format!("{spec},port={port}");
    }
    (!path.is_empty()).then(|| format!("{spec}:{path}"))
}

/// `host/bucket/path` as rclone writes it; who asks is known from the usual variables.
fn s3(rest: &str) -> Option<String> {
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some(_) => return None,
        None => ("https", rest.trim_start_matches('/')),
    };
    let (host, path) = rest.split_once('/')?;
    if host.is_empty() || path.is_empty() {
        return None;
    }
    let endpoint = quoted(&format!("{scheme}://{host}"))?;
    Some(format!(":s3,provider=Other,env_auth=true,endpoint={endpoint}:{path}"))
}

/// A value of an rclone remote; what could end it is not taken.
fn quoted(value: &str) -> Option<String> {
    let harmless = !value.is_empty() && !value.contains(['"', '\n', '\\']) && !value.starts_with('-');
    harmless.then(|| format!("\"{value}\""))
}

/// An address without the password in it.
fn without_password(address: &str) -> String {
    let Some((before, after)) = address.split_once("://") else { return address.into() };
    let end = after.find('/').unwrap_or(after.len());
    let (login, path) = after.split_at(end);
    let Some((who, host)) = login.rsplit_once('@') else { return address.into() };
    match who.split_once(':') {
        Some((user, _)) => format!("{before}://{user}@{host}{path}"),
        None => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Place {
        place(address).unwrap()
    }

    #[test]
    fn an_address_is_a_folder_a_server_or_something_for_rclone() {
        assert_eq!(of("/srv/repo"), Place::Folder("/srv/repo".into()));
        assert_eq!(of("local:/srv/a:b"), Place::Folder("/srv/a:b".into()));
        assert_eq!(of("/srv/a:b"), Place::Folder("/srv/a:b".into()));
        assert_eq!(of("rest:https://h/r"), Place::Rest("https://h/r".into()));
        assert_eq!(of("rclone:box:r"), Place::Rclone("box:r".into()));
        assert_eq!(of("sftp:u@h:/r"), Place::Rclone(":sftp,host=\"h\",user=\"u\":/r".into()));
        assert_eq!(of("sftp://u@h:2222//r"), Place::Rclone(":sftp,host=\"h\",user=\"u\",port=2222:/r".into()));
        let s3 = ":s3,provider=Other,env_auth=true,endpoint=\"https://h\":b/p";
        assert_eq!(of("s3:h/b/p"), Place::Rclone(s3.into()));
        assert_eq!(of("s3:https://h/b/p"), Place::Rclone(s3.into()));
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (address, why) in [
            ("", "empty"),
            ("ftp://h/r", "ftp: is not known"),
            ("rest:h/r", "http"),
            ("sftp:h", "user@host"),
            ("s3:h", "bucket"),
        ] {
            let error = place(address).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(error.message.contains(why), "{address}: {error}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_used_and_never_shown() {
        let repository = Repository::new("rest:http://u:secret@h:8000/r", "/k".into()).unwrap();
        assert_eq!(repository.url, "rest:http://u@h:8000/r");
        assert_eq!(repository.place(), Ok(Place::Rest("http://u:secret@h:8000/r".into())));
        let written = serde_json::to_string(&repository).unwrap() + &format!("{repository:?}");
        assert!(!written.contains("secret"), "{written}");
        let read: Repository = serde_json::from_str(&serde_json::to_string(&repository).unwrap()).unwrap();
        let again = read.clone().opened_by(&repository.secrets());
        assert_eq!(again, repository);
        let typed = repository.clone().with_password("hidden-word".into());
        let written = serde_json::to_string(&typed).unwrap() + &format!("{typed:?}");
        assert!(!written.contains("hidden-word"), "{written}");
        assert_eq!(read.opened_by(&typed.secrets()), typed);
        assert_eq!(repository.folder(), None);
        assert!(Repository::new("/srv/a:b", "/k".into()).unwrap().folder().is_some());
        let error = place("ftp://u:secret@h/r").unwrap_err();
        assert!(!error.message.contains("secret"), "{error}");
    }
}
