//! Answers that a real kernel gave, recorded by `tests/quota/scenario.sh`, read again without one.

use super::*;
use std::collections::BTreeMap;

/// What was recorded, with what the usual tools said of the same file systems in comments.
const RECORDED: &str = include_str!("../../../tests/quota/recorded.txt");

type Answers = BTreeMap<String, Result<Vec<u8>, Errno>>;

/// The lines of one part of the recording.
fn part(name: &str) -> impl Iterator<Item = &'static str> {
    let heading = format!("[{name}]");
    RECORDED.lines().skip_while(move |line| *line != heading).skip(1).take_while(|line| !line.starts_with('['))
}

/// The answers of one part, by question.
fn answers(name: &str) -> Answers {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    part(name)
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (question, answer) = line.split_once(" = ").unwrap();
            let answer = match answer.strip_prefix("errno ") {
                Some(number) => Err(Errno::from_raw_os_error(number.parse().unwrap())),
                None => Ok(bytes(answer)),
            };
            (question.to_owned(), answer)
        })
        .collect()
}

fn question(call: Call, counter: Counter, id: u32) -> String {
    let call = match call {
        Call::Info => "info",
        Call::Quota => "quota",
        Call::NextQuota => "next-quota",
        Call::State => "state",
        Call::XfsQuota => "xfs-quota",
        Call::XfsNextQuota => "xfs-next-quota",
    };
    let counter = match counter {
        Counter::User => "user",
        Counter::Group => "group",
        Counter::Project => "project",
    };
    format!("{call} {counter} {id}")
}

/// Reads the books of a recorded file system.
fn with_books<T>(name: &str, read: impl FnOnce(&mut Books<'_>) -> T) -> T {
    with_answers(&answers(name), name, read)
}

fn with_answers<T>(answers: &Answers, name: &str, read: impl FnOnce(&mut Books<'_>) -> T) -> T {
    let mut ask = |call, counter, id| {
        let question = question(call, counter, id);
        answers.get(&question).cloned().unwrap_or_else(|| panic!("{question} was not recorded"))
    };
    read(&mut Books::open(&mut ask, name.split(' ').next().unwrap()))
}

fn everybody(books: &mut Books<'_>) -> Result<Vec<(u32, Counted)>, Errno> {
    books.everybody()
}

const MIB: u64 = 1 << 20;
const WEEK: u64 = 7 * 86_400;

#[test]
fn a_user_over_the_soft_limit_has_a_grace_on_ext4_and_xfs_recorded() {
    for name in ["ext4", "xfs", "ext4 as 1001", "xfs as 1001"] {
        let counted = with_books(name, |books| books.of(Counter::User, 1001)).unwrap();
        let Amount { used, soft, hard, grace_ends } = counted.bytes;
        assert_eq!((used, soft, hard), (Some(25 * MIB), Some(20 * MIB), Some(30 * MIB)), "{name}");
        assert!(grace_ends.is_some(), "{name}");
        assert_eq!((counted.grace_seconds, counted.unenforced, counted.doubt), (Some(WEEK), false, None));
        let files = Amount { used: Some(1), soft: Some(1000), hard: Some(2000), grace_ends: None };
        assert_eq!(counted.inodes, files, "{name}");
    }
}

#[test]
fn inodes_have_limits_and_a_grace_of_their_own_recorded() {
    for name in ["ext4", "xfs"] {
        let counted = with_books(name, |books| books.of(Counter::User, 1004)).unwrap();
        assert_eq!(counted.bytes.limit(), None, "{name}");
        let Amount { used, soft, hard, grace_ends } = counted.inodes;
        assert_eq!((used, soft, hard, grace_ends.is_some()), (Some(5), Some(3), Some(10), true), "{name}");
    }
}

#[test]
fn no_limit_is_no_limit_and_a_user_who_was_never_counted_uses_nothing_recorded() {
    for name in ["ext4", "xfs"] {
        let counted = with_books(name, |books| books.of(Counter::User, 1002)).unwrap();
        assert_eq!((counted.bytes.used, counted.bytes.limit()), (Some(10 * MIB), None), "{name}");
        let counted = with_books(name, |books| books.of(Counter::User, 1003)).unwrap();
        assert_eq!((counted.bytes.used, counted.inodes.used), (Some(0), Some(0)), "{name}");
        assert_eq!((counted.bytes.limit(), counted.inodes.limit()), (None, None), "{name}");
    }
}

#[test]
fn groups_and_projects_are_read_as_users_are_recorded() {
    for name in ["ext4", "xfs"] {
        let group = with_books(name, |books| books.of(Counter::Group, 1001)).unwrap();
        let Amount { used, soft, hard, .. } = group.bytes;
        assert_eq!((used, soft, hard), (Some(25 * MIB), Some(50 * MIB), Some(60 * MIB)), "{name}");
        let project = with_books(name, |books| books.of(Counter::Project, 42)).unwrap();
        let Amount { used, soft, hard, .. } = project.bytes;
        // On ext4 the folder itself counts, too.
        assert!(used.is_some_and(|used| used.abs_diff(9728 << 10) <= 4096), "{name}: {used:?}");
        assert_eq!((soft, hard), (Some(10 * MIB), Some(15 * MIB)), "{name}");
    }
}

#[test]
fn what_another_user_has_and_what_a_project_has_may_not_be_read_recorded() {
    for name in ["ext4 as 1001", "xfs as 1001"] {
        let other = with_books(name, |books| books.of(Counter::User, 1002)).unwrap_err();
        let project = with_books(name, |books| books.of(Counter::Project, 42)).unwrap_err();
        let all = with_books(name, everybody).unwrap_err();
        assert_eq!([other, project, all], [Errno::PERM; 3], "{name}");
        let Reading::NotReadable(why) = refused(project, true) else { panic!("{name}") };
        assert!(why.contains("enforced here, but may not be read"), "{why}");
    }
}

#[test]
fn everybody_is_listed_as_repquota_lists_them_recorded() {
    for name in ["ext4", "xfs"] {
        let listed = with_books(name, everybody).unwrap();
        let or_zero = |limit: Option<u64>| limit.unwrap_or(0);
        let ours: Vec<String> = listed
            .iter()
            .filter(|(id, _)| *id >= 1000)
            .map(|(id, Counted { bytes, inodes, .. })| {
                format!(
                    "#{id} {} {} {} {} {} {}",
                    or_zero(bytes.used) >> 10,
                    or_zero(bytes.soft) >> 10,
                    or_zero(bytes.hard) >> 10,
                    or_zero(inodes.used),
                    or_zero(inodes.soft),
                    or_zero(inodes.hard)
                )
            })
            .collect();
        let theirs: Vec<&str> = part(name)
            .filter_map(|line| line.strip_prefix("# ").filter(|line| line.starts_with("#1")))
            .collect();
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(ours.len(), 3, "{name}");
    }
}

#[test]
fn a_project_is_read_as_xfs_quota_reports_it_recorded() {
    let line = part("xfs").find(|line| line.starts_with("# #42")).unwrap();
    // `#42 used soft hard warnings [grace]`, in kibibytes.
    let fields: Vec<u64> =
        line.split_whitespace().skip(2).take(3).map(|field| field.parse().unwrap()).collect();
    let project = with_books("xfs", |books| books.of(Counter::Project, 42)).unwrap().bytes;
    let ours = [project.used, project.soft, project.hard].map(|bytes| bytes.unwrap() >> 10);
    assert_eq!(ours.as_slice(), fields);
}

#[test]
fn a_counter_below_zero_is_flagged_and_not_shown_as_exabytes_recorded() {
    for (name, question, at) in [("xfs", "xfs-quota project 42", 40), ("ext4", "quota project 42", 16)] {
        let mut answers = answers(name);
        let Some(Ok(record)) = answers.get_mut(question) else { panic!("{question} was not recorded") };
        record[at..at + 8].copy_from_slice(&(-12_i64).to_ne_bytes());
        let project = with_answers(&answers, name, |books| books.of(Counter::Project, 42)).unwrap();
        assert_eq!((project.bytes.used, project.doubt), (None, Some(Doubt::Negative)), "{name}");
        assert!(project.bytes.limit().is_some(), "{name}: the limit still holds");
    }
}

#[test]
fn limits_that_were_switched_off_are_counted_and_not_enforced_recorded() {
    let counted = with_books("ext4 switched off", |books| books.of(Counter::User, 1001)).unwrap();
    assert_eq!((counted.bytes.used, counted.unenforced), (Some(25 * MIB), true));
}

#[test]
fn a_file_system_without_quotas_has_none_enabled_recorded() {
    let why = with_books("without", |books| books.of(Counter::User, 1001)).unwrap_err();
    assert_eq!(refused(why, false), Reading::NotEnabled);
    let why = with_books("without", everybody).unwrap_err();
    assert_eq!(refused(why, false), Reading::NotEnabled);
}

#[test]
fn every_refusal_is_one_of_two_answers() {
    let enabled = |why| refused(why, false) != Reading::NotEnabled;
    assert_eq!([Errno::SRCH, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL].map(enabled), [false; 4]);
    assert_eq!([Errno::PERM, Errno::NODEV, Errno::IO].map(enabled), [true; 3]);
    // What the state says is not counted is not enabled, whatever the question would say.
    let mut only_groups =
        |call, _, _| if call == Call::State { Ok(vec![1, 0, 12, 0]) } else { Err(Errno::PERM) };
    let mut books = Books::open(&mut only_groups, "ext4");
    assert_eq!(books.of(Counter::User, 0), Err(Errno::SRCH));
    assert_eq!(books.of(Counter::Group, 0), Err(Errno::PERM));
}

#[test]
fn a_list_that_goes_round_ends_and_one_that_makes_no_sense_is_refused() {
    let mut record = vec![0; 72];
    record[16] = 1;
    record[68] = 7;
    let mut same = |call, _, _| if call == Call::NextQuota { Ok(record.clone()) } else { Err(Errno::NOSYS) };
    assert_eq!(Books::open(&mut same, "ext4").everybody().unwrap().len(), 1);
    let mut short = |_, _, _| Ok(vec![1]);
    assert_eq!(Books::open(&mut short, "ext4").everybody(), Err(Errno::PROTO));
}
