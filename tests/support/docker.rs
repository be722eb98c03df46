//! Containers of the tests, on the real engine.
//!
//! Everything goes through the engine's own command line, which knows nothing of
//! our adapter and therefore can judge it. Names begin with `outlast-test-`, all
//! carry the label `outlast.test=1`, and all are removed when their guard goes.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The label that every container and volume of the tests carries.
pub(crate) const LABEL: &str = "outlast.test=1";

/// A main process that ends at once when asked to, unlike a bare `sleep`.
const SLEEP: &str = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";

/// The engine's command line, bound to one engine.
#[derive(Clone, Debug)]
pub(crate) struct Cli {
    host: Option<String>,
}

/// The engine of this machine. Without one says why and gives `None`, or fails
/// where `OUTLAST_REQUIRE_ENGINE=1`.
pub(crate) fn engine() -> Option<Cli> {
    static STATE: OnceLock<Result<(), String>> = OnceLock::new();
    let cli = Cli { host: None };
    let state = STATE.get_or_init(|| {
        let answer = cli.output(&["version", "--format", "{{.Server.Version}}"])?;
        if answer.status.success() { Ok(()) } else { Err(text(&answer.stderr)) }
    });
    match state {
        Ok(()) => Some(cli),
        Err(why) => missing(why),
    }
}

/// Says why a test is skipped; fails it where the engine is required.
pub(crate) fn missing<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("OUTLAST_REQUIRE_ENGINE").is_none_or(|set| set != "1"), "engine required: {why}");
    eprintln!("skipped: {why}");
    None
}

/// A name that no other test, process or run has.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("outlast-test-{what}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_string()
}

impl Cli {
    /// The command line of an engine at another socket.
    pub(crate) fn at(socket: &Path) -> Self {
        Self { host: Some(format!("unix://{}", socket.display())) }
    }

    fn output(&self, args: &[&str]) -> Result<Output, String> {
        let mut command = Command::new("docker");
        if let Some(host) = &self.host {
            command.args(["-H", host]);
        }
        command.args(args).output().map_err(|why| format!("no docker command line: {why}"))
    }

    /// Runs a command and gives what it printed, or its complaint.
    pub(crate) fn try_run(&self, args: &[&str]) -> Result<String, String> {
        let output = self.output(args)?;
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(format!("docker {}: {}", args.join(" "), text(&output.stderr)))
        }
    }

    /// Runs a command that must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        self.try_run(args).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The image that test containers come from: busybox with its applets, `/tmp`, `/root`,
    /// `/home/u`, `/opt`, and the libraries that our own debug binary needs. Made when missing.
    pub(crate) fn base(&self) -> String {
        static IMAGE: OnceLock<(String, tempfile::TempDir)> = OnceLock::new();
        let (name, root) = IMAGE.get_or_init(|| {
            let root = tempfile::tempdir().unwrap();
            let digest = make_root(root.path());
            (format!("outlast-test-base:{digest:016x}"), root)
        });
        let lock = File::create(std::env::temp_dir().join("outlast-test-base.lock")).unwrap();
        lock.lock().unwrap();
        if self.try_run(&["image", "inspect", name]).is_err() {
            let tar = tempfile::NamedTempFile::new().unwrap();
            let made = Command::new("tar")
                .args(["--owner=0", "--group=0", "-cf"])
                .arg(tar.path())
                .arg("-C")
                .arg(root.path())
                .arg(".")
                .status();
            assert!(made.is_ok_and(|status| status.success()), "tar");
            self.run(&["import", "--change", "ENV PATH=/bin", &tar.path().to_string_lossy(), name]);
        }
        name.clone()
    }

    /// A container to be made; `what` becomes part of its name.
    pub(crate) fn container(&self, what: &str) -> Builder {
        Builder { cli: self.clone(), name: unique(what), args: Vec::new(), image: None, command: None }
    }

    /// A named volume, removed with its guard. `options` are those of `docker volume create`.
    pub(crate) fn volume(&self, what: &str, options: &[&str]) -> Volume {
        let name = unique(what);
        let mut args = vec!["volume", "create", "--label", LABEL];
        args.extend(options);
        args.push(&name);
        self.run(&args);
        Volume { cli: self.clone(), name }
    }
}

/// Fills a directory with the base image's files; gives a digest of what they are.
fn make_root(root: &Path) -> u64 {
    let mut digest = DefaultHasher::new();
    "second edition".hash(&mut digest);
    for folder in ["bin", "tmp", "root", "home/u", "opt", "etc", "lib", "lib64", "usr/bin", "var/log", "run"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::set_permissions(root.join("tmp"), std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000:u:/home/u:/bin/sh\n")
        .unwrap();
    std::fs::write(root.join("opt/from-image"), "of the image\n").unwrap();
    std::os::unix::fs::symlink("/run", root.join("var/run")).unwrap();
    let busybox = std::fs::read("/bin/busybox").expect("busybox-static is installed");
    busybox.len().hash(&mut digest);
    std::fs::write(root.join("bin/busybox"), &busybox).unwrap();
    std::fs::set_permissions(root.join("bin/busybox"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let applets = Command::new("/bin/busybox").arg("--list").output().unwrap();
    for applet in text(&applets.stdout).lines().filter(|applet| *applet != "busybox") {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    for library in libraries() {
        let bytes = std::fs::read(&library).unwrap();
        (library.as_os_str(), bytes.len()).hash(&mut digest);
        let place = root.join(library.strip_prefix("/").unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, bytes).unwrap();
        std::fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    digest.finish()
}

/// The loader and libraries of this very test binary: the same as the product's.
fn libraries() -> Vec<PathBuf> {
    let own = std::env::current_exe().unwrap();
    let listed = Command::new("ldd").arg(own).output().map(|output| text(&output.stdout)).unwrap_or_default();
    let path = |word: &str| word.starts_with('/').then(|| PathBuf::from(word));
    listed.lines().filter_map(|line| line.split_whitespace().find_map(path)).collect()
}

/// A container to be made.
#[derive(Debug)]
pub(crate) struct Builder {
    cli: Cli,
    name: String,
    args: Vec<String>,
    image: Option<String>,
    command: Option<Vec<String>>,
}

impl Builder {
    /// Another name; it must still begin with `outlast-test-` to be safe to remove.
    pub(crate) fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Arguments of `docker run`.
    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_string));
        self
    }

    /// Another image than the base.
    pub(crate) fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// The shell script that is its main process, instead of one that waits to be stopped.
    pub(crate) fn script(mut self, script: &str) -> Self {
        self.command = Some(["sh", "-c", script].map(str::to_string).to_vec());
        self
    }

    /// Makes it and starts it.
    pub(crate) fn run(self) -> Container {
        self.make(&["run", "-d"])
    }

    /// Makes it without starting it.
    pub(crate) fn create(self) -> Container {
        self.make(&["create"])
    }

    fn make(self, verb: &[&str]) -> Container {
        let image = self.image.unwrap_or_else(|| self.cli.base());
        let command = self.command.unwrap_or_else(|| ["sh", "-c", SLEEP].map(str::to_string).to_vec());
        let mut args: Vec<&str> = verb.to_vec();
        args.extend(["--name", &self.name, "--label", LABEL, "--network", "none"]);
        args.extend(self.args.iter().map(String::as_str));
        args.push(&image);
        args.extend(command.iter().map(String::as_str));
        // The guard comes first: a container whose start fails is there all the same.
        let mut container = Container { cli: self.cli.clone(), name: self.name.clone(), id: String::new() };
        container.id = self.cli.run(&args).lines().last().unwrap_or_default().to_string();
        container
    }
}

/// A container; removed with its anonymous volumes when this goes.
#[derive(Debug)]
pub(crate) struct Container {
    cli: Cli,
    /// Its name.
    pub(crate) name: String,
    /// The engine's full id.
    pub(crate) id: String,
}

impl Container {
    /// No container yet: a place for one that is made later.
    pub(crate) fn none(cli: &Cli) -> Self {
        Self { cli: cli.clone(), name: unique("none"), id: String::new() }
    }

    /// Runs a shell script inside and gives what it printed.
    pub(crate) fn exec(&self, script: &str) -> String {
        self.cli.run(&["exec", &self.id, "sh", "-c", script])
    }

    /// Whether a shell script inside succeeds.
    pub(crate) fn succeeds(&self, script: &str) -> bool {
        self.cli.try_run(&["exec", &self.id, "sh", "-c", script]).is_ok()
    }

    /// Stops it.
    pub(crate) fn stop(&self) {
        self.cli.run(&["stop", "-t", "3", &self.id]);
    }

    /// Kills its main process, as a crash does, and waits until the engine has noticed.
    pub(crate) fn kill(&self) {
        self.cli.run(&["kill", "-s", "KILL", &self.id]);
        let _ = self.cli.try_run(&["wait", &self.id]);
    }

    /// Starts it again.
    pub(crate) fn start(&self) {
        self.cli.run(&["start", &self.id]);
    }

    /// Removes it, but not its anonymous volumes.
    pub(crate) fn rm(&self) {
        self.cli.run(&["rm", "-f", &self.id]);
    }

    /// Waits until its main process has ended.
    pub(crate) fn wait(&self) {
        self.cli.run(&["wait", &self.id]);
    }

    /// What the engine says of it, by a template such as `{{.State.Pid}}`.
    pub(crate) fn inspect(&self, template: &str) -> String {
        self.cli.run(&["inspect", "-f", template, &self.id])
    }

    /// Whether the engine still knows it.
    pub(crate) fn exists(&self) -> bool {
        self.cli.try_run(&["inspect", "-f", "{{.Id}}", &self.id]).is_ok()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.cli.try_run(&["rm", "-f", "-v", &self.name]);
    }
}

/// A volume; removed when this goes.
#[derive(Debug)]
pub(crate) struct Volume {
    cli: Cli,
    /// Its name.
    pub(crate) name: String,
}

impl Volume {
    /// Takes over a volume that a container left behind.
    pub(crate) fn left_behind(cli: &Cli, name: &str) -> Self {
        Self { cli: cli.clone(), name: name.into() }
    }

    /// The directory on this machine that holds it; `None` when it is gone.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        self.cli.try_run(&["volume", "inspect", "-f", "{{.Mountpoint}}", &self.name]).ok().map(Into::into)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = self.cli.try_run(&["volume", "rm", "-f", &self.name]);
    }
}
