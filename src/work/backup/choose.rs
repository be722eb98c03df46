//! Which repository: the one that was named, else one of the person's own where its place is kept.

use std::path::{Path, PathBuf};

use super::here::Here;
use crate::core::backup::Repository;
use crate::core::error::{Error, Kind, Result};
use crate::core::rules::Rules;
use crate::platform::config;
use crate::port::Host;
use crate::store;
use crate::text::printable_path;
use crate::work::browse::host_path;

/// What was said about the repository on the command line or in the environment.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Its address, paths absolute.
    pub repository: Option<String>,
    /// The file with its password.
    pub password_file: Option<PathBuf>,
}

/// The repository that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The repository.
    pub repository: Repository,
    /// Whether it is the person's own one, which nobody named.
    pub own: bool,
    /// Whether the key is a generated one.
    pub own_key: bool,
    /// Why it cannot be used for new backups, where its place does not last.
    pub unfit: Option<Error>,
}

/// What was said about the repository, in absolute paths: named here, in the environment, in the settings,
/// by the platform. Jobs are not where the person is.
pub fn wish(
    repository: Option<String>,
    password_file: Option<PathBuf>,
    settings: &config::Backup,
    rules: Option<&Rules>,
    host: &Host,
) -> Result<Wish> {
    let absolute = |path: &Path| host_path(path, host.home.as_deref());
    let user = host.user.clone().unwrap_or_else(|| host.uid.to_string());
    let parameter = |name: &str| {
        let value = rules?.parameters.get(name).filter(|value| !value.is_empty())?;
        Some(value.replace("${user}", &user))
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let address = repository.or_else(|| variable("OUTLAST_REPOSITORY"));
    let address = address.or_else(|| settings.repository.clone());
    let repository = match address.or_else(|| parameter("repository")) {
        // A folder is named from where the person is.
        Some(address) if address.starts_with(['.', '~']) || !address.contains(':') => {
            Some(absolute(address.as_ref())?.to_string_lossy().into_owned())
        }
        other => other,
    };
    let file = password_file.or_else(|| variable("OUTLAST_PASSWORD_FILE").map(PathBuf::from));
    let file = file.or_else(|| settings.password_file.clone());
    let file = file.or_else(|| parameter("password_file").map(PathBuf::from));
    let password_file = file.as_deref().map(absolute).transpose()?;
    Ok(Wish { repository, password_file })
}

/// Chooses the repository. Makes nothing.
pub fn choose(wish: &Wish, settings: &config::Backup, here: &Here) -> Result<Chosen> {
    let standard = store::backups_of_their_own();
    let named = wish.repository.clone().or_else(|| settings.repository.clone());
    let key = wish.password_file.clone().or_else(|| settings.password_file.clone());
    let own_key = key.is_none();
    let no_home = || {
        Error::new(Kind::Config, "there is no place for a repository: this user has no home")
            .hint("name one: `--repository`, and its password file in OUTLAST_PASSWORD_FILE")
    };
    let key = match (key, &standard) {
        (Some(key), _) => key,
        (None, Some((_, key))) => key.clone(),
        (None, None) => return Err(no_home()),
    };
    if let Some(address) = named {
        return Ok(Chosen { repository: Repository::new(&address, key)?, own: false, own_key, unfit: None });
    }
    let (folder, _) = standard.ok_or_else(no_home)?;
    let Some(address) = folder.to_str() else { return Err(no_home()) };
    let unfit = here.first_lost(&folder).map(|event| {
        let shown = printable_path(&folder);
        Error::new(
            Kind::Refused,
            format!("backups would go to {shown}, which {}", here.does_not_last(&folder, event)),
        )
        .hint("name a place that is kept: `--repository /a/kept/folder`, or a server: `--repository rest:https://host/path`")
    });
    Ok(Chosen { repository: Repository::new(address, key)?, own: true, own_key, unfit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_named_wins_over_the_settings() {
        let settings = config::Backup {
            repository: Some("/settings".into()),
            password_file: Some("/settings.key".into()),
            key_elsewhere: false,
        };
        let wish = Wish { repository: Some("/named".into()), password_file: None };
        let chosen = choose(&wish, &settings, &Here::unknown()).unwrap();
        assert_eq!((chosen.repository.url.as_str(), chosen.own, chosen.own_key), ("/named", false, false));
        let chosen = choose(&Wish::default(), &settings, &Here::unknown()).unwrap();
        assert_eq!(chosen.repository.url, "/settings");
    }

    #[test]
    fn a_place_of_which_nothing_is_known_is_not_made_into_a_repository() {
        let Ok(chosen) = choose(&Wish::default(), &config::Backup::default(), &Here::unknown()) else {
            // A user without a home has no such place at all.
            return;
        };
        let error = chosen.unfit.unwrap();
        assert_eq!(error.kind, Kind::Refused);
        assert!(error.hints[0].contains("--repository"));
    }
}
