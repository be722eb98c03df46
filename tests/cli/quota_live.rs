//! Quotas of ext4 and XFS live, judged by the usual tools, where the kernel has any.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::quota::{Mounted, done, json, text};
use super::{Outlast, one};

/// What is asked of one file system of the scenario.
fn agrees(kind: &str, folder: &Path, program: &Path) {
    let at = folder.join(kind);
    let outlast = Outlast::new();
    let all = outlast.run(&["--engine", "machine", "quota", text(&at), "--all-users", "--json"]).json();
    let users: Vec<&Value> =
        all["quotas"].as_array().unwrap().iter().filter(|quota| quota["kind"] == "user").collect();
    let kib = |value: &Value| value.as_u64().unwrap_or(0) >> 10;
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let mut ours: Vec<String> = users
        .iter()
        .map(|user| {
            let inodes = &user["inodes"];
            format!(
                "#{},{},{},{},{},{},{}",
                user["id"],
                kib(&user["used"]),
                kib(&user["soft"]),
                kib(&user["hard"]),
                count(&inodes["used"]),
                count(&inodes["soft"]),
                count(&inodes["hard"])
            )
        })
        .collect();
    let mut sorted = users.iter().map(|user| count(&user["used"])).collect::<Vec<_>>();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(users.iter().map(|user| count(&user["used"])).collect::<Vec<_>>(), sorted, "most used first");
    // User, state of bytes, of files, used, soft, hard, grace, files, soft, hard, grace.
    let said = done("repquota", &["-u", "-n", "-O", "csv", text(&at)]);
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut theirs: Vec<String> = said
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(fields)
        .map(|line| {
            [&line[0], &line[3], &line[4], &line[5], &line[7], &line[8], &line[9]].map(String::as_str).join(",")
        })
        .collect();
    // Root's own use is only told where there is any.
    for list in [&mut ours, &mut theirs] {
        list.retain(|line| !line.starts_with("#0,"));
        list.sort();
    }
    assert_eq!(ours, theirs, "{kind}");

    let as_user = |args: &[&str]| -> Value {
        let plain = ["--reuid=1001", "--regid=1001", "--clear-groups", text(program), "--engine", "machine"];
        let output = Command::new("setpriv").args(plain).args(args).output().unwrap();
        json(&output)
    };
    let mine = as_user(&["quota", text(&at), "--json"]);
    let own = one(&mine["quotas"], "kind", "user");
    assert_eq!((&own["id"], &own["status"]), (&1001.into(), &"over".into()), "{kind}: {own}");
    assert_eq!((own["used"].as_u64(), own["soft"].as_u64()), (Some(25 << 20), Some(20 << 20)), "{kind}");
    assert!(own["grace_ends"].is_string() && own["note"].as_str().unwrap().contains("left to delete"), "{own}");
    assert_eq!(one(&mine["quotas"], "kind", "group")["soft"], 50 << 20, "{kind}");
    let everybody = as_user(&["quota", text(&at), "--all-users", "--json"]);
    assert_eq!(everybody["complete"], false, "{kind}: only one's own is told, and that is said");
    assert_eq!(one(&everybody["quotas"], "kind", "user")["id"], 1001);

    let project = at.join("project");
    let as_root = outlast.run(&["--engine", "machine", "quota", text(&project), "--json"]).json();
    let told = one(&as_root["quotas"], "kind", "project").clone();
    assert_eq!(
        (told["id"].as_u64(), told["soft"].as_u64(), told["hard"].as_u64()),
        (Some(42), Some(10 << 20), Some(15 << 20))
    );
    assert_eq!(told["status"], "warning", "{kind}: {told}");
    let plainly = as_user(&["quota", text(&project), "--json"]);
    let seen = one(&plainly["quotas"], "kind", "project");
    assert_eq!(seen["soft"], 10 << 20, "{kind}: without rights the folder's own size tells: {seen}");
    assert_eq!(kib(&seen["used"]), kib(&told["used"]), "{kind}");
    if kind == "xfs" {
        let said = done("xfs_quota", &["-x", "-c", "report -p -b -N", text(&at)]);
        let line = said.lines().find(|line| line.starts_with("#42")).unwrap_or_default().to_owned();
        let fields: Vec<u64> =
            line.split_whitespace().skip(1).take(3).map(|field| field.parse().unwrap()).collect();
        assert_eq!(vec![kib(&told["used"]), kib(&told["soft"]), kib(&told["hard"])], fields, "{line}");
    }
    let said = Command::new("setpriv")
        .args(["--reuid=1001", "--regid=1001", "--clear-groups", "quota", "-w", "-p", "-f", text(&at)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("25600*") && said.contains("20480"), "{kind}: {said}");
}

#[test]
#[ignore = "needs a kernel with quotas; `.ci/long` runs it and says where there is none"]
fn ext4_and_xfs_quotas_live_agree_with_quota_repquota_and_xfs_quota() {
    let Some(folder) = Mounted::folder() else { return };
    for tool in ["setquota", "repquota", "quota", "xfs_quota", "mkfs.xfs", "mkfs.ext4"] {
        if Command::new(tool).arg("-V").output().is_err() {
            eprintln!("skipped: {tool} is not installed");
            return;
        }
    }
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quota/scenario.sh");
    let made = Command::new("bash").arg(&scenario).args(["make", text(folder.path())]).output().unwrap();
    let program = folder.path().join("program");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &program).unwrap();
    done("chmod", &["755", text(&program)]);
    let result = std::panic::catch_unwind(|| {
        if made.status.success() {
            for kind in ["ext4", "xfs"] {
                agrees(kind, folder.path(), &program);
            }
        } else {
            eprintln!("skipped: this kernel has no quotas: {}", String::from_utf8_lossy(&made.stderr));
        }
    });
    for kind in ["ext4", "xfs"] {
        let _ = Command::new("umount").args(["-l", text(&folder.path().join(kind))]).output();
    }
    result.unwrap();
}
