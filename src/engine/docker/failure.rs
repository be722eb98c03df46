//! Failures of the engine, turned into what happened, why, and what to do next.

use std::error::Error as _;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::core::error::{Error, Kind};

use super::http::Socket;

/// A socket that could not be connected to or broke off.
pub(super) fn from_io(socket: &Socket, why: &io::Error) -> Error {
    match why.kind() {
        io::ErrorKind::PermissionDenied => not_permitted(socket),
        io::ErrorKind::NotFound => {
            unreachable(socket, &format!("there is no socket at {}", socket.path.display()))
        }
        io::ErrorKind::ConnectionRefused => {
            unreachable(socket, &format!("nothing answers at {}", socket.path.display()))
        }
        io::ErrorKind::TimedOut => Error::new(Kind::TimedOut, why.to_string()),
        _ => Error::new(
            Kind::Unreachable,
            format!("the connection to {} at {} broke off: {why}", socket.title, socket.path.display()),
        )
        .hint(start_hint(socket)),
    }
}

/// No answer within the time a call may take.
pub(super) fn timed_out(socket: &Socket, what: &str, limit: Duration) -> Error {
    Error::new(
        Kind::TimedOut,
        format!("{} gave no answer within {} s ({what})", socket.title, limit.as_secs().max(1)),
    )
    .hint(format!("see whether `{} ps` answers", socket.command()))
}

/// An answer with a failing status. The message is the engine's own (untrusted text).
pub(super) fn from_status(socket: &Socket, status: u16, message: &str) -> Error {
    let message = message.trim().trim_end_matches('.');
    let kind = match status {
        401 | 403 => Kind::NotPermitted,
        404 => Kind::NotFound,
        405 | 501 => Kind::NotSupported,
        409 => Kind::Conflict,
        503 => Kind::Unreachable,
        _ => Kind::Failed,
    };
    let message = if message.is_empty() {
        format!("{} answered with status {status}", socket.title)
    } else {
        format!("{} says: {message}", socket.title)
    };
    let error = Error::new(kind, message);
    match kind {
        Kind::NotFound => {
            error.hint("it may have been removed meanwhile; `outlast ls --all` lists what is there")
        }
        Kind::Conflict => error.hint("look again at its state, then repeat the command"),
        _ => error,
    }
}

/// An answer that makes no sense.
pub(super) fn garbled(socket: &Socket, what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Failed, format!("the answer of {} to {what} could not be read: {why}", socket.title))
        .hint(format!("see whether {} really is an engine's socket", socket.path.display()))
}

/// A failure of the client library.
pub(super) fn from_client(socket: &Socket, what: &str, why: &bollard::errors::Error) -> Error {
    use bollard::errors::Error as Client;
    match why {
        Client::DockerResponseServerError { status_code, message } => {
            from_status(socket, *status_code, message)
        }
        Client::SocketNotFoundError(_) => from_io(socket, &io::ErrorKind::NotFound.into()),
        Client::RequestTimeoutError => {
            Error::new(Kind::TimedOut, format!("{} gave no answer ({what})", socket.title))
        }
        other => {
            let mut source = other.source();
            while let Some(error) = source {
                if let Some(io) = error.downcast_ref::<io::Error>() {
                    return from_io(socket, io);
                }
                source = error.source();
            }
            garbled(socket, what, other)
        }
    }
}

fn unreachable(socket: &Socket, message: &str) -> Error {
    Error::new(Kind::Unreachable, format!("{} cannot be reached: {message}", socket.title))
        .hint(start_hint(socket))
        .hint("rootless: export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock")
        .hint("elsewhere: set DOCKER_HOST to the engine's socket")
}

fn start_hint(socket: &Socket) -> String {
    let rootless = socket.path.starts_with("/run/user");
    match (socket.title, rootless) {
        ("Podman", true) => "start it: systemctl --user start podman.socket".into(),
        ("Podman", false) => "start it: sudo systemctl start podman.socket".into(),
        (_, true) => "start it: systemctl --user start docker".into(),
        (_, false) => "start it: sudo systemctl start docker".into(),
    }
}

fn not_permitted(socket: &Socket) -> Error {
    let path = socket.path.display();
    let user = socket.user.as_deref().unwrap_or("$USER");
    let error = Error::new(Kind::NotPermitted, format!("{user} may not use the socket {path}"));
    let Ok(meta) = std::fs::metadata(&socket.path) else {
        return error.hint(format!("a folder above {path} is closed to you; ask its owner"));
    };
    let group = Group::find(meta.gid(), &std::fs::read_to_string("/etc/group").unwrap_or_default());
    if meta.gid() == 0 || meta.mode() & 0o020 == 0 {
        return error.hint("run the command with sudo").hint(format!(
            "or let a group in: sudo groupadd -f docker && sudo chgrp docker {path} && sudo chmod g+rw {path}"
        ));
    }
    let Some(group) = group else {
        return error.hint(format!("it belongs to the group number {}; ask to be added to it", meta.gid()));
    };
    let error = Error { message: format!("{}: that takes the group {}", error.message, group.name), ..error };
    if group.members.iter().any(|member| member == user) {
        error.hint(format!("{user} is a member already: log in again, or run `newgrp {}` first", group.name))
    } else {
        error
            .hint(format!("sudo usermod -aG {} {user}", group.name))
            .hint("then log in again for it to take effect")
    }
}

/// One line of the group file.
struct Group {
    name: String,
    members: Vec<String>,
}

impl Group {
    fn find(gid: u32, file: &str) -> Option<Self> {
        file.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, number) = (fields.next()?, fields.nth(1)?);
            let members = fields.next().unwrap_or_default().split(',').map(str::to_string).collect();
            (number.parse() == Ok(gid)).then(|| Self { name: name.to_string(), members })
        })
    }
}

/// Whether a failing answer says that the container itself is gone, not only the path in it.
pub(super) fn container_is_gone(message: &str) -> bool {
    message.to_ascii_lowercase().contains("no such container")
}

/// Whether this process may list a directory, or look at what is a single file.
pub(super) fn readable(place: &Path) -> bool {
    std::fs::read_dir(place).is_ok() || std::fs::symlink_metadata(place).is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(path: &Path) -> Socket {
        Socket { path: path.into(), title: "Docker", user: Some("alice".into()) }
    }

    #[test]
    fn a_missing_socket_says_how_to_start_the_engine() {
        let error = from_io(&socket(Path::new("/nowhere.sock")), &io::ErrorKind::NotFound.into());
        assert_eq!(error.kind, Kind::Unreachable);
        let hints = error.hints.join("\n");
        assert!(hints.contains("systemctl start docker") && hints.contains("DOCKER_HOST"), "{hints}");
    }

    #[test]
    fn a_closed_socket_names_its_group_and_the_command_that_opens_it() {
        let folder = tempfile::tempdir().unwrap_or_else(|why| unreachable!("{why}"));
        let path = folder.path().join("docker.sock");
        let _ = std::fs::write(&path, "");
        let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let Some((name, gid)) = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let gid: u32 = fields.nth(1)?.parse().ok()?;
            (gid != 0).then_some((name, gid))
        }) else {
            return;
        };
        let group = rustix::fs::Gid::from_raw(gid);
        let given = rustix::fs::chown(&path, None, Some(group));
        let open = std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o660));
        if given.is_err() || open.is_err() {
            return;
        }
        let error = not_permitted(&socket(&path));
        assert_eq!(error.kind, Kind::NotPermitted);
        assert!(error.message.contains(name), "{error}");
        assert_eq!(error.hints[0], format!("sudo usermod -aG {name} alice"));
    }

    #[test]
    fn a_member_who_has_not_logged_in_again_is_told_so() {
        let group = Group::find(998, "root:x:0:\ndocker:x:998:ann,alice\n");
        assert!(group.is_some_and(|group| group.name == "docker" && group.members[1] == "alice"));
        assert!(Group::find(7, "docker:x:998:\nbroken\n").is_none());
    }

    #[test]
    fn statuses_become_kinds_that_the_screen_can_react_to() {
        let kind = |status| from_status(&socket(Path::new("/x")), status, "no.").kind;
        assert_eq!([kind(404), kind(409), kind(500)], [Kind::NotFound, Kind::Conflict, Kind::Failed]);
    }
}
