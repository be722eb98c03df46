//! Two workspaces with 25 mounts each, paths all over them, and the floor to compare with.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outlast::core::classify::Grounds;
use outlast::core::facts::Facts;
use outlast::core::mount::{Backing, Mount, Source};
use outlast::core::recognise::{Profiles, Recognised};
use outlast::core::workspace::{Detail, RunState};

/// One workspace to ask about.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) grounds: Grounds,
    pub(crate) floor: Floor,
    pub(crate) paths: Vec<PathBuf>,
}

/// The targets of the mounts, and nothing else.
pub(crate) struct Floor(Vec<PathBuf>);

impl Floor {
    /// The length of the longest target that holds a path.
    pub(crate) fn longest(&self, path: &Path) -> usize {
        let path = path.as_os_str().as_bytes();
        let mut longest = 0;
        for target in &self.0 {
            let target = target.as_os_str().as_bytes();
            let holds = path.starts_with(target) && matches!(path.get(target.len()), None | Some(b'/'));
            if holds && target.len() > longest {
                longest = target.len();
            }
        }
        longest
    }
}

/// A DS01 and a Backend.AI workspace, with as many different paths as asked for.
pub(crate) fn workspaces(count: usize) -> Vec<Place> {
    vec![ds01(count), backendai(count)]
}

fn bind(target: String, source: String) -> Mount {
    let backing = Backing::HostDir { path: source.clone().into(), source: Source::Present };
    Mount::new(target.into(), source, backing, Some("ext4".into()))
}

fn common() -> Vec<Mount> {
    let pseudo = |target: &str| Mount::new(target.into(), "the kernel".into(), Backing::Pseudo, None);
    let written = |target: &str| Mount::new(target.into(), "the runtime".into(), Backing::Injected, None);
    vec![
        Mount::new("/".into(), "writable layer".into(), Backing::Layer, Some("overlay".into())),
        pseudo("/dev"),
        pseudo("/proc"),
        pseudo("/sys"),
        written("/etc/hosts"),
        written("/etc/hostname"),
        written("/etc/resolv.conf"),
        Mount::new("/dev/shm".into(), "memory".into(), Backing::Memory, Some("tmpfs".into())),
    ]
}

fn ds01(count: usize) -> Place {
    let home = "/home/alice";
    let mut mounts = common();
    mounts.push(bind("/workspace".into(), format!("{home}/workspace/p")));
    mounts.push(bind("/data".into(), "/srv/data".into()));
    mounts.push(bind("/models".into(), "/srv/models".into()));
    mounts.push(bind(format!("{home}/.ssh"), format!("{home}/.ssh")));
    mounts.push(Mount::new("/workspace/.cache".into(), "memory".into(), Backing::Memory, None));
    mounts.extend((0..12).map(|at| bind(format!("/mnt/set{at}"), format!("{home}/dockerfiles/set{at}"))));
    place(
        "ds01",
        mounts,
        &["/workspace/src", "/tmp", "/home/alice/notes", "/opt/conda/lib", "/mnt/set7"],
        count,
    )
}

fn backendai(count: usize) -> Place {
    let scratch = "/var/lib/backend.ai/scratches/77";
    let mut mounts = common();
    mounts.push(bind("/home/work".into(), format!("{scratch}/work")));
    mounts.push(bind("/home/config".into(), format!("{scratch}/config")));
    mounts.extend(
        (0..15).map(|at| bind(format!("/home/work/folder{at}"), format!("/vfroot/volume/u/ab/cd/{at}"))),
    );
    let below = ["/home/work/folder3/runs", "/home/work/runs", "/home/work/.conda/envs", "/usr/lib/x", "/tmp"];
    place("backendai", mounts, &below, count)
}

fn place(name: &'static str, mounts: Vec<Mount>, folders: &[&str], count: usize) -> Place {
    assert_eq!(mounts.len(), 25);
    let all = outlast::platform::profiles::built_in().unwrap();
    let home = Some("/home/alice".into());
    let profiles = Profiles { all, home, ..Profiles::default() };
    let detail = Detail { mounts, ..Detail::new(RunState::Running) };
    let rules = profiles.rules_of(name, Recognised::default(), Some(&detail)).unwrap();
    let detail = rules.refine(detail);
    let floor = Floor(detail.mounts.iter().map(|mount| mount.target.clone()).collect());
    let grounds = Grounds {
        detail: Arc::new(detail),
        rules: Arc::new(rules),
        facts: Facts::default(),
        timing: Arc::default(),
        covers: Arc::default(),
    };
    let path = |at: usize| format!("{}/run-{:03}/step-{at:07}.pt", folders[at % folders.len()], at % 997);
    let paths = (0..count).map(|at| path(at).into()).collect();
    Place { name, grounds, floor, paths }
}
