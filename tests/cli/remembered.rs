//! `du` twice: the second time it looks at what changed, and is as right as the first.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Outlast;

fn du(path: &Path) -> u64 {
    rustix::fs::sync();
    let output = Command::new("du").args(["-s", "--block-size=1"]).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().parse().unwrap()
}

/// A folder that is worth remembering.
fn large() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in 0..60 {
        let inner = dir.path().join(format!("{}/{folder}", folder / 10));
        fs::create_dir_all(&inner).unwrap();
        for file in 0..100 {
            fs::write(inner.join(file.to_string()), "some content").unwrap();
        }
    }
    dir
}

#[test]
fn what_was_found_the_last_time_is_compared_with_the_disk_and_fresh_looks_at_everything() {
    let (dir, outlast) = (large(), Outlast::new());
    let path = dir.path().to_str().unwrap();
    let total = |arguments: &[&str]| {
        let report = outlast.json(&[&["du", path, "--json"], arguments].concat());
        assert_eq!(report["complete"], true);
        (report["total"]["allocated"].as_u64().unwrap(), report["files_as_of"].as_str().unwrap().to_owned())
    };
    let first = total(&[]);
    assert_eq!(first.0, du(dir.path()));
    let index = outlast.home().join(".cache/outlast/index");
    assert_eq!(fs::read_dir(&index).unwrap().count(), 1, "it is remembered");
    fs::remove_dir_all(dir.path().join("3")).unwrap();
    fs::write(dir.path().join("4/42/new"), vec![1; 300_000]).unwrap();
    fs::rename(dir.path().join("5"), dir.path().join("4/five")).unwrap();
    fs::hard_link(dir.path().join("4/42/new"), dir.path().join("0/again")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let second = total(&[]);
    assert_eq!(second.0, du(dir.path()));
    assert_eq!(second.1, first.1, "no more than needed was looked at");
    let says = outlast.run(&["du", path]);
    assert!(says.out.contains("--fresh looks at all"), "{}", says.out);
    let fresh = total(&["--fresh"]);
    assert_eq!(fresh.0, du(dir.path()));
    assert!(fresh.1 > first.1);
    // A damaged memory is none.
    let file = fs::read_dir(&index).unwrap().next().unwrap().unwrap().path();
    let mut content = fs::read(&file).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&file, content).unwrap();
    let third = total(&[]);
    assert_eq!(third.0, du(dir.path()));
    assert!(third.1 > first.1, "everything was looked at");
}
