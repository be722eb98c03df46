//! Who is affected, what is said of limits that nobody here can read, and what is wrong.

use super::*;
use crate::core::quota::{Inodes, Status};
use crate::work::fake;

/// File systems that say what they were told to.
struct Fake(Vec<FileSystem>);

impl FileSystems for Fake {
    fn look(&self, question: &SpaceQuestion) -> Result<Vec<FileSystem>> {
        let mut found = self.0.clone();
        for disk in &mut found {
            disk.places =
                question.places.iter().filter(|place| place.starts_with(&disk.target)).cloned().collect();
        }
        Ok(found)
    }
}

fn disk(target: &str, kind: &str, answer: Answer) -> FileSystem {
    FileSystem {
        target: target.into(),
        also: Vec::new(),
        source: "server:/x".into(),
        kind: kind.into(),
        read_only: false,
        places: Vec::new(),
        answer,
    }
}

fn space(used: u64, total: u64) -> Space {
    let inodes = Some(Inodes { total: 100, used: 1, available: 99 });
    Space { total, used, available: total - used, inodes, elastic: false }
}

fn told(space: Space, quotas: Vec<Quota>) -> Answer {
    Answer::Told(Told { space, quotas, gap: None })
}

fn of_user(id: u64, reading: Reading) -> Quota {
    Quota {
        kind: QuotaKind::User,
        id: Some(id),
        subject: id.to_string(),
        place: "/home".into(),
        reading,
        note: None,
    }
}

fn uses(used: u64, hard: u64) -> Reading {
    let bytes = Amount { used: Some(used), hard: Some(hard), ..Amount::default() };
    Reading::Counted(Counted { bytes, ..Counted::default() })
}

async fn ask(disks: Vec<FileSystem>, help: &[String], limits: Limits) -> Spaces {
    let host = Host {
        home: Some("/home/alice".into()),
        users: [(1001, "alice".to_string())].into(),
        ..Host::default()
    };
    let asker = Asker {
        file_systems: Arc::new(Fake(disks)),
        host: Arc::new(host),
        engine: None,
        roots: vec!["/home/alice/workspace".into()],
        help,
    };
    Spaces::ask(&asker, None, limits).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_names_whom_to_ask_and_numbers_become_names() {
    let quotas = vec![
        of_user(1001, Reading::NotReadable("may not be read from here".into())),
        of_user(1002, uses(5, 10)),
    ];
    let help = ["ops@lab".to_string()];
    let spaces = ask(vec![disk("/home", "ext4", told(space(1, 100), quotas))], &help, Limits::Everybody).await;
    let all = spaces.quotas(false);
    let alice = all.iter().find(|(_, quota)| quota.id == Some(1001)).unwrap();
    assert_eq!(alice.1.subject, "alice");
    let words = alice.1.words(Timestamp::UNIX_EPOCH);
    assert_eq!(words, "may not be read from here; ask ops@lab for `quota -s` on the host");
    assert_eq!(all[0].1.subject, "1002", "the number where there is no name; most used first");
    assert_eq!(spaces.known[0].affects, ["your home", "workspace folders"]);
    assert!(spaces.troubles.is_empty(), "an answer that is known is not missing");
}

#[tokio::test]
async fn a_file_system_that_does_not_answer_is_named_and_the_others_are_there() {
    let disks =
        vec![disk("/dead", "nfs4", Answer::Silent), disk("/", "ext4", told(space(95, 100), Vec::new()))];
    let spaces = ask(disks, &[], Limits::Mine).await;
    assert_eq!(spaces.known.len(), 2);
    assert_eq!(spaces.troubles.len(), 1);
    assert_eq!(spaces.troubles[0].message, "/dead is not responding");
    let findings = spaces.findings(Timestamp::UNIX_EPOCH, &[]);
    let ids: Vec<_> = findings.iter().map(|finding| (finding.id, finding.severity)).collect();
    assert!(ids.contains(&("disk-not-responding", Severity::Warning)), "{ids:?}");
    assert!(ids.contains(&("disk-nearly-full", Severity::Warning)), "{ids:?}");
    let dead = spaces.quotas(false).into_iter().find(|(known, _)| known.disk.answer == Answer::Silent).unwrap();
    assert_eq!(dead.1.status(), Status::NotReadable);
    assert_eq!(dead.1.words(Timestamp::UNIX_EPOCH), "not responding");
}

#[tokio::test]
async fn an_elastic_file_system_says_so_and_memory_has_no_quotas_unless_asked_for() {
    let elastic = Space { elastic: true, ..space(1 << 40, 1 << 63) };
    let disks = vec![
        disk("/efs", "nfs4", told(elastic, Vec::new())),
        disk("/dev/shm", "tmpfs", told(space(1, 100), Vec::new())),
    ];
    let spaces = ask(disks, &[], Limits::Mine).await;
    let all = spaces.quotas(false);
    assert_eq!(all.len(), 1);
    let (_, quota) = &all[0];
    assert_eq!(quota.words(Timestamp::UNIX_EPOCH), "elastic, no fixed size");
    assert_eq!((quota.status(), quota.limited()), (Status::Ok, Some(false)));
    assert_eq!(spaces.quotas(true).len(), 2);
}

#[tokio::test]
async fn the_size_of_a_file_system_is_a_limit_of_which_root_keeps_a_part() {
    let reserved = Space { available: 90, ..space(5, 100) };
    let quota = volume(&disk("/", "ext4", Answer::Silent), reserved);
    let bytes = quota.counted().unwrap().bytes;
    assert_eq!((bytes.used, bytes.soft, bytes.hard), (Some(5), Some(95), Some(100)));
    let whole = volume(&disk("/", "ext4", Answer::Silent), space(5, 100));
    assert_eq!(whole.counted().unwrap().bytes.soft, None);
}

#[tokio::test]
async fn an_engine_that_says_nothing_of_its_root_takes_nothing_from_the_answer() {
    let engine = fake::Fake::default();
    let asker = Asker {
        file_systems: Arc::new(Fake(vec![disk("/", "ext4", told(space(1, 100), Vec::new()))])),
        host: Arc::new(Host::default()),
        engine: Some(&engine),
        roots: Vec::new(),
        help: &[],
    };
    let spaces = Spaces::ask(&asker, None, Limits::None).await.unwrap();
    assert_eq!((spaces.known.len(), spaces.troubles.len()), (1, 0));
    assert_eq!(spaces.known[0].engine_root, None);
}
