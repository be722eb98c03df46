//! Files that let somebody in: keys, tokens, passwords. Told by where they lie and what they are called.

use std::path::Path;

/// Files with these names are secrets wherever they lie.
const NAMES: [(&str, &str); 18] = [
    ("id_rsa", "SSH key"),
    ("id_ed25519", "SSH key"),
    ("id_ecdsa", "SSH key"),
    ("id_dsa", "SSH key"),
    (".netrc", "passwords"),
    (".git-credentials", "passwords"),
    (".pgpass", "passwords"),
    (".my.cnf", "passwords"),
    (".htpasswd", "passwords"),
    (".pypirc", "token"),
    (".npmrc", "token"),
    (".env", "settings with secrets"),
    (".vault-token", "token"),
    ("access_token", "token"),
    ("kaggle.json", "token"),
    ("rclone.conf", "passwords"),
    ("application_default_credentials.json", "token"),
    ("credentials.db", "token"),
];

/// Files that are secrets in a folder of this name.
const IN_FOLDER: [(&str, &str, &str); 7] = [
    (".aws", "credentials", "token"),
    (".kube", "config", "token"),
    (".docker", "config.json", "token"),
    (".huggingface", "token", "token"),
    ("huggingface", "token", "token"),
    ("gh", "hosts.yml", "token"),
    (".jupyter", "jupyter_server_config.json", "password"),
];

/// What kind of secret a file holds, by its path; `None` where it does not look like one.
pub fn kind(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    if folder == ".ssh" && name.starts_with("id_") && !has_extension(name, "pub") {
        return Some("SSH key");
    }
    if folder == "private-keys-v1.d" && has_extension(name, "key") {
        return Some("key");
    }
    if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(kind);
    }
    if let Some((.., kind)) = IN_FOLDER.iter().find(|(known, file, _)| *known == folder && *file == name) {
        return Some(kind);
    }
    let key = ["pem", "p12", "pfx", "ppk"].iter().any(|extension| has_extension(name, extension));
    // Bundles of certificates that everybody may see have this ending too.
    (key && !name.starts_with("ca") && !name.contains("cert")).then_some("key")
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<&'static str> {
        kind(Path::new(path))
    }

    #[test]
    fn keys_tokens_and_passwords_are_told_by_place_and_name() {
        assert_eq!(of(".ssh/id_ed25519"), Some("SSH key"));
        assert_eq!(of("a/.ssh/id_rsa"), Some("SSH key"));
        assert_eq!(of(".cache/huggingface/token"), Some("token"));
        assert_eq!(of(".aws/credentials"), Some("token"));
        assert_eq!(of("project/.env"), Some("settings with secrets"));
        assert_eq!(of("server.PEM"), Some("key"));
    }

    #[test]
    fn what_everybody_may_see_is_no_secret() {
        for path in [".ssh/id_ed25519.pub", ".ssh/known_hosts", "id_1.csv", "token", "cacert.pem", "config", ""]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
