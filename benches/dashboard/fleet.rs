//! Containers that sleep: made for a run, removed after it, also when it fails.

use std::process::Command;

/// The label they carry; nothing without it is ever removed.
const LABEL: &str = "outlast.test=1";

/// A number of sleeping containers.
pub(crate) struct Fleet {
    prefix: String,
    image: String,
    ids: Vec<String>,
}

impl Fleet {
    /// Makes and starts them.
    pub(crate) fn up(size: usize) -> Self {
        // Short enough that no program has to cut it: rows are counted by it.
        let prefix = format!("ob{}-", std::process::id());
        let image = format!("outlast-test-bench:{}", std::process::id());
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("bin")).unwrap();
        std::fs::copy("/bin/busybox", root.path().join("bin/sleep")).expect("busybox-static is installed");
        let tar = root.path().with_extension("tar");
        run(Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(root.path()).arg("bin"));
        run(docker(&["import"]).arg(&tar).arg(&image));
        std::fs::remove_file(&tar).unwrap();
        let mut fleet = Self { prefix, image, ids: Vec::new() };
        for index in 1..=size {
            eprint!("\rcontainer {index} of {size}");
            let name = format!("{}{index}", fleet.prefix);
            let arguments = ["run", "-d", "--network", "none", "--label", LABEL, "--name", &name];
            let id = run(docker(&arguments).args([&fleet.image, "/bin/sleep", "100000"]));
            fleet.ids.push(id);
        }
        eprintln!();
        fleet
    }

    /// What all their names begin with, as short as programs cut them.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        eprintln!("removing {} containers", self.ids.len());
        for some in self.ids.chunks(25) {
            let _left = docker(&["rm", "-f", "-v"]).args(some).output();
        }
        let _left = docker(&["image", "rm", "-f", &self.image]).output();
    }
}

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
