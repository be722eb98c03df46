//! Limits: thresholds, the answers that are not numbers, and findings.

use super::*;

fn amount(used: u64, soft: u64, hard: u64) -> Amount {
    Amount {
        used: Some(used),
        soft: Some(soft).filter(|limit| *limit > 0),
        hard: Some(hard).filter(|limit| *limit > 0),
        grace_ends: None,
    }
}

fn quota(reading: Reading) -> Quota {
    Quota {
        kind: QuotaKind::User,
        id: Some(1001),
        subject: "alice".into(),
        place: "/home".into(),
        reading,
        note: None,
    }
}

fn counted(bytes: Amount) -> Quota {
    quota(Reading::Counted(Counted { bytes, ..Counted::default() }))
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn in_hours(hours: i64) -> Timestamp {
    Timestamp::from_second(hours * 3_600).unwrap()
}

#[test]
fn notice_warning_and_over_begin_at_80_90_and_100_percent_of_the_soft_limit() {
    // A platform's convention: the soft limit is the limit, the hard one is 10 % more.
    let of = |used| amount(used, 100, 110).status();
    assert_eq!(
        [0, 79, 80, 89, 90, 99, 100, 110].map(of),
        [
            Status::Ok,
            Status::Ok,
            Status::Notice,
            Status::Notice,
            Status::Warning,
            Status::Warning,
            Status::Over,
            Status::Over
        ]
    );
    assert_eq!(amount(95, 0, 100).status(), Status::Warning, "without a soft limit the hard one counts");
    let severities = [79, 80, 90, 100].map(|used| of(used).severity());
    assert_eq!(severities, [None, Some(Severity::Notice), Some(Severity::Warning), Some(Severity::Critical)]);
    let large = amount(u64::MAX - 1, u64::MAX, 0);
    assert_eq!((large.status(), large.percent()), (Status::Warning, Some(100)), "no overflow");
}

#[test]
fn not_enabled_not_readable_and_no_limit_are_three_answers() {
    let all = [
        quota(Reading::NotEnabled),
        quota(Reading::NotReadable("cannot be read from in here; ask ops".into())),
        counted(amount(5, 0, 0)),
        counted(amount(5, 100, 0)),
    ];
    assert_eq!(
        all.clone().map(|quota| (quota.status(), quota.limited())),
        [
            (Status::NotEnabled, Some(false)),
            (Status::NotReadable, None),
            (Status::Ok, Some(false)),
            (Status::Ok, Some(true))
        ]
    );
    assert_eq!(
        all.map(|quota| quota.words(NOW)),
        ["no user quotas on this file system", "cannot be read from in here; ask ops", "no limit", ""]
    );
}

#[test]
fn over_the_soft_limit_the_grace_decides_and_at_the_hard_one_nothing_helps() {
    let with_grace = |used, hours: Option<i64>| {
        let bytes = Amount { grace_ends: hours.map(in_hours), ..amount(used, 100, 110) };
        counted(bytes).words(NOW)
    };
    assert_eq!(with_grace(100, None), "", "at the soft limit is not over it");
    assert_eq!(with_grace(105, Some(51)), "over the soft limit of space: 2 d 3 h left to delete some");
    assert_eq!(
        with_grace(105, Some(-1)),
        "over the soft limit of space for too long: nothing more can be written"
    );
    assert_eq!(with_grace(105, None), "over the soft limit of space");
    assert_eq!(with_grace(110, Some(51)), "at the hard limit of space: nothing more can be written");
    let files = Counted { inodes: amount(5, 4, 0), ..Counted::default() };
    assert_eq!(quota(Reading::Counted(files)).words(NOW), "over the soft limit of files");
    assert_eq!(quota(Reading::Counted(files)).status(), Status::Over, "inodes count as bytes do");
}

#[test]
fn a_limit_that_is_not_enforced_and_numbers_in_doubt_say_so() {
    let unenforced = Counted { bytes: amount(200, 100, 0), unenforced: true, ..Counted::default() };
    let quota_of = |counted| quota(Reading::Counted(counted));
    assert_eq!(quota_of(unenforced).status(), Status::Ok);
    assert_eq!(quota_of(unenforced).words(NOW), "counted, but no limit is enforced");
    let negative = Counted {
        bytes: Amount { hard: Some(9), ..Amount::default() },
        doubt: Some(Doubt::Negative),
        ..Counted::default()
    };
    assert!(quota_of(negative).words(NOW).contains("counts less than nothing"));
}

#[test]
fn a_breach_names_the_numbers_the_place_and_who_can_raise_the_limit() {
    let help = ["ops@lab".to_string()];
    assert_eq!(of_quota(&counted(amount(79, 100, 0)), NOW, &help), None);
    let found = of_quota(&counted(amount(95 << 30, 100 << 30, 0)), NOW, &help).unwrap();
    assert_eq!((found.id, found.severity), ("quota-near", Severity::Warning));
    assert_eq!(found.subject, "user alice");
    assert_eq!(found.evidence, "95G of 100G (95 %) of the user quota on /home");
    assert!(found.fix.ends_with("who can raise the limit: ops@lab"), "{}", found.fix);
    let files = Counted { inodes: amount(9, 9, 9), ..Counted::default() };
    let found = of_quota(&quota(Reading::Counted(files)), NOW, &[]).unwrap();
    assert_eq!((found.id, found.severity), ("quota-over", Severity::Critical));
    assert!(found.evidence.starts_with("9 files of 9 files (100 %)"), "{}", found.evidence);
    assert!(found.fix.ends_with("an administrator can raise the limit"));
}

fn disk(read_only: bool) -> FileSystem {
    FileSystem {
        target: "/data".into(),
        also: Vec::new(),
        source: "/dev/vdb".into(),
        kind: "ext4".into(),
        read_only,
        places: Vec::new(),
        answer: Answer::Silent,
    }
}

fn space(used: u64, available: u64, inodes: Option<(u64, u64)>) -> Space {
    let inodes = inodes.map(|(used, total)| Inodes { total, used, available: total - used });
    Space { total: used + available, used, available, inodes, elastic: false }
}

#[test]
fn a_full_disk_is_told_with_who_works_on_it_and_what_fills_it() {
    assert_eq!(of_disk(&disk(false), space(79, 21, None), ""), None);
    let found = of_disk(&disk(false), space(100 << 30, 0, None), "your home").unwrap();
    assert_eq!((found.id, found.severity), ("disk-full", Severity::Critical));
    assert_eq!(found.evidence, "100G of 100G used on /data, 0 left; affects your home");
    let found = of_disk(&disk(false), space(1, 99, Some((90, 100))), "").unwrap();
    assert_eq!((found.id, found.severity), ("inodes-nearly-used-up", Severity::Warning));
    assert_eq!(found.evidence, "90 of 100 files that /data can hold");
    assert_eq!(of_disk(&disk(true), space(100, 0, None), ""), None, "an image is always full");
    let elastic = Space { elastic: true, ..space(100, 0, None) };
    assert_eq!(of_disk(&disk(false), elastic, ""), None);
}

#[test]
fn an_engine_root_with_less_than_ten_gibibytes_is_a_warning() {
    let root = std::path::Path::new("/var/lib/docker");
    let left = |bytes| engine_root(&disk(false), space(1 << 40, bytes, None), root);
    assert_eq!(left(10 << 30), None);
    let found = left(9 << 30).unwrap();
    assert_eq!((found.id, found.severity), ("engine-root-low", Severity::Warning));
    assert!(found.evidence.starts_with("9.0G left on /data, less than 10G"), "{}", found.evidence);
}
