//! Files of packages that come back with their package, on a real container whose database is laid out by hand.

use super::Outlast;
use crate::support::docker::{self, Container};

/// A package as apt or dpkg leave it behind, its one file `/usr/bin/NAME` with itself as content.
fn install(container: &Container, name: &str, apt: Option<&str>) {
    container.exec(&format!(
        "mkdir -p /var/lib/dpkg/info /var/log/apt; \
         echo {name} > /usr/bin/{name}; \
         printf '/.\\n/usr\\n/usr/bin\\n/usr/bin/{name}\\n' > /var/lib/dpkg/info/{name}.list; \
         (cd / && md5sum usr/bin/{name}) > /var/lib/dpkg/info/{name}.md5sums; \
         printf 'Package: {name}\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1.0-1\\n\\n' \
             >> /var/lib/dpkg/status; \
         now=$(date '+%Y-%m-%d %H:%M:%S'); \
         echo \"$now install {name}:amd64 <none> 1.0-1\" >> /var/log/dpkg.log"
    ));
    if let Some(command) = apt {
        container.exec(&format!(
            "now=$(date '+%Y-%m-%d  %H:%M:%S'); day=$(date '+%Y-%m-%d'); \
             printf '\\nStart-Date: %s  00:00:00\\nCommandline: %s\\nInstall: {name}:amd64 (1.0-1)\\nEnd-Date: %s\\n' \
                 \"$day\" '{command}' \"$now\" >> /var/log/apt/history.log"
        ));
    }
}

#[test]
fn only_unchanged_files_of_packages_from_a_repository_are_installed_again() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::getuid().is_root() {
        return;
    }
    let outlast = Outlast::new();
    let container = engine.container("packages").args(["--label", "outlast.profile=deeporigin"]).run();
    install(&container, "offered", Some("apt-get install -y offered"));
    install(&container, "changed", Some("apt-get install -y changed"));
    install(&container, "local", Some("apt-get install -y ./local.deb"));
    install(&container, "byhand", None);
    container.exec("echo more >> /usr/bin/changed; echo mine > /usr/bin/nobodys");
    let stop = |name: &str| {
        let subject = format!("{}:/usr/bin/{name}", container.name);
        let report = outlast.json(&["explain", &subject, "--json"]);
        (report["rule"].as_str().unwrap().to_string(), report["fates"]["stop"].as_str().unwrap().to_string())
    };
    for _ in 0..2 {
        assert_eq!(stop("offered"), ("apt-packages".into(), "rebuilt".into()));
        for name in ["changed", "local", "byhand", "nobodys"] {
            assert_eq!(stop(name), ("installed-by-hand".into(), "lost".into()), "{name}");
        }
        // Stopped, the engine's archives are read.
        container.stop();
    }
    let plain = outlast.json(&[
        "--profile",
        "docker",
        "explain",
        &format!("{}:/usr/bin/offered", container.name),
        "--json",
    ]);
    assert_eq!(plain["fates"]["retire"], "lost");
}
