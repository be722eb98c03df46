//! A host's limits, as its administrators write them and as they damage them.

use super::*;

/// A file in the shape of the platform's own, cut down.
const FILE: &str = "\
# Resource limits
defaults:
  max_gpu_equivalents: 1.0   # not ours
  memory: 32g
  max_runtime_h: 24
  idle_timeout_h: 0.5
  gpu_hold_after_stop_h: 0.25
  container_hold_after_stop_h: 0.5
default_group: student
groups:
  student:
    max_gpu_equivalents: 2.0
    aggregate: {cpu_quota: \"9600%\", memory_max: \"96G\"}
    policies:
      idle_detection_window: 3
  researcher:
    members: [carol, 204214]
    max_runtime_h: 48
    idle_timeout_h: 1
  admin:
    gpu_hold_after_stop_h: 1
gpu_allocation:
  # nothing but a comment
user_overrides:
policies:
  high_demand_threshold: 0.8
  high_demand_idle_reduction: 0.5
  grace_period_m: 30
  keepalive_max_duration_h: 24
  created_container_timeout_m: 45
container_types:
  devcontainer:
    idle_timeout_h: null
    max_runtime_h: 168
monitoring:
  infrastructure_containers:
    - ds01-prometheus
";

struct Host(tempfile::TempDir);

impl Host {
    fn with(file: &str) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        host.write("resource-limits.yaml", file);
        host
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn load(&self) -> Result<Option<Limits>> {
        load(&self.0.path().join("resource-limits.yaml"))
    }

    fn limits(&self) -> Limits {
        self.load().unwrap().unwrap()
    }
}

/// How many minutes count for a person; `None` is no limit.
fn minutes(limits: &Limits, user: &str, key: LimitKey) -> Option<i64> {
    match limits.of(Some(user)).time(key, None).expect("the file says something") {
        Limit::Never => None,
        Limit::After(span) => Some(span.length().as_mins()),
    }
}

#[test]
fn a_student_has_half_an_hour_and_a_researcher_one() {
    let limits = Host::with(FILE).limits();
    assert_eq!(minutes(&limits, "bob", LimitKey::IdleTimeout), Some(30));
    assert_eq!(minutes(&limits, "carol", LimitKey::IdleTimeout), Some(60));
    assert_eq!(minutes(&limits, "204214", LimitKey::IdleTimeout), Some(60));
    assert_eq!(minutes(&limits, "carol", LimitKey::MaxRuntime), Some(48 * 60));
    assert_eq!(minutes(&limits, "bob", LimitKey::ContainerHoldAfterStop), Some(30));
    assert_eq!(minutes(&limits, "bob", LimitKey::CreatedContainerTimeout), Some(45));
    assert_eq!(limits.high_demand_from, Fraction::try_from(0.8).ok());
    let bob = limits.of(Some("bob"));
    assert_eq!(bob.time(LimitKey::IdleTimeout, Some("devcontainer")), Some(Limit::Never));
    assert!(limits.unread.is_empty());
}

#[test]
fn member_files_and_exceptions_beside_the_file_count() {
    let host = Host::with(FILE);
    host.write("groups/researcher.members", "# doctoral students\n\n  dora  # until May\n");
    host.write(
        "user-overrides.yaml",
        "# exceptions\nerin@example.org:\n  idle_timeout_h: null\n  container_hold_after_stop: 2h\n",
    );
    let limits = host.limits();
    assert_eq!(limits.group_of(Some("dora")), Some("researcher"));
    assert_eq!(limits.group_of(Some("carol")), Some("researcher"));
    assert_eq!(minutes(&limits, "dora", LimitKey::IdleTimeout), Some(60));
    assert_eq!(minutes(&limits, "erin@example.org", LimitKey::IdleTimeout), None);
    assert_eq!(minutes(&limits, "erin@example.org", LimitKey::ContainerHoldAfterStop), Some(120));
    assert_eq!(minutes(&limits, "erin@example.org", LimitKey::MaxRuntime), Some(24 * 60));
}

#[test]
fn no_file_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load(&folder.path().join("resource-limits.yaml")), Ok(None));
}

#[test]
fn a_damaged_file_is_named_with_its_line_and_the_reason() {
    for (text, line, reason) in [
        ("defaults:\n  idle_timeout_h: soon\n", 2, "“soon” is no length of time"),
        ("defaults:\n  max_runtime_h: -3\n", 2, "-3 is no length of time"),
        ("defaults:\n  max_runtime_h: [1]\n", 2, "a length of time such as 0.5"),
        ("groups: 7\n", 1, "names with settings under them"),
        ("policies:\n  high_demand_threshold: 80\n", 2, "80 is no fraction"),
        ("defaults:\n\tidle_timeout_h: 1\n", 2, ""),
        ("groups: {a: {members: [x\n", 0, ""),
        ("- a\n- b\n", 1, ""),
        ("defaults: *nobody\n", 1, ""),
    ] {
        let error = Host::with(text).load().unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        let place = if line == 0 { ": line ".to_owned() } else { format!(": line {line}: ") };
        let start = format!("resource-limits.yaml{place}");
        assert!(error.message.contains(&start) && error.message.contains(reason), "{text:?}: {error}");
        assert!(!error.message.contains(" column "), "{error}");
    }
}

#[test]
fn a_damaged_file_of_exceptions_is_named_too() {
    let host = Host::with(FILE);
    host.write("user-overrides.yaml", "eve:\n  idle_timeout_h: {}\n");
    let message = host.load().unwrap_err().message;
    assert!(message.contains("user-overrides.yaml: line 2: "), "{message}");
}

#[test]
fn files_beside_it_that_cannot_be_read_are_named_and_change_nothing() {
    let host = Host::with(FILE);
    std::fs::create_dir_all(host.0.path().join("groups/researcher.members")).unwrap();
    let limits = host.limits();
    assert!(limits.unread[0].ends_with("researcher.members: not a regular file"), "{:?}", limits.unread);
    assert_eq!(minutes(&limits, "carol", LimitKey::IdleTimeout), Some(60));
}

#[test]
fn a_group_named_like_a_path_leads_nowhere() {
    let host = Host::with("groups:\n  ../../secret:\n    idle_timeout_h: 9\n");
    host.write("secret.members", "bob\n");
    assert_eq!(host.limits().group_of(Some("bob")), Some("student"));
}

#[test]
fn strange_files_are_an_error_or_nothing_and_never_a_panic() {
    let bomb = (1..40).fold("a0: &a0 [x,x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0}]\n", n - 1)
    });
    let deep = format!("defaults: {}", "[".repeat(1_000_000));
    let odd =
        ["", "~", "\u{feff}", "---\n---\n", "? [a]\n: b\n", "defaults: !!binary x\n", "%YAML 9\n---\n", "&a"];
    for text in
        odd.into_iter().chain([bomb.as_str(), deep.as_str(), &"- ".repeat(500_000), &"{a: ".repeat(250_000)])
    {
        let _ = Host::with(text).load();
    }
}

#[test]
fn texts_with_units_are_read_as_older_hosts_write_them() {
    let host = Host::with(
        "defaults: {idle_timeout: 0.5h, max_runtime: 48h, container_hold_after_stop: indefinite}\n\
         policies: {grace_period: 30m, created_container_timeout: 2m}\n",
    );
    let limits = host.limits();
    assert_eq!(minutes(&limits, "bob", LimitKey::IdleTimeout), Some(30));
    assert_eq!(minutes(&limits, "bob", LimitKey::ContainerHoldAfterStop), None);
    assert_eq!(minutes(&limits, "bob", LimitKey::CreatedContainerTimeout), Some(2));
}

#[test]
fn people_who_are_exempted_are_read_beside_the_limits() {
    let host = Host::with(FILE);
    host.write(
        "lifecycle-exemptions.yaml",
        "exemptions:\n  - username: \"carol@example.org\"\n    category: waiver\n    exempt_from: [idle_timeout_h, max_runtime_h]\n    \
         expires_on: null\n  - username: bob\n    exempt_from:\n      - max_runtime\n    expires_on: \"2026-06-30T23:59:59Z\"\n  \
         - username: dan\n    exempt_from: [idle_timeout]\n    expires_on: someday\n",
    );
    let limits = host.limits();
    let spared =
        |user: &str, at: &str, key| limits.of(Some(user)).at(Some(user), at.parse().unwrap()).is_exempt(key);
    assert!(spared("carol", "2030-01-01T00:00:00Z", LimitKey::IdleTimeout));
    assert!(!spared("carol", "2030-01-01T00:00:00Z", LimitKey::ContainerHoldAfterStop));
    assert!(spared("bob", "2026-06-01T00:00:00Z", LimitKey::MaxRuntime));
    assert!(!spared("bob", "2026-07-01T00:00:00Z", LimitKey::MaxRuntime), "it has ended");
    assert!(!spared("dan", "2026-06-01T00:00:00Z", LimitKey::IdleTimeout), "an end that nobody can read");
    host.write("lifecycle-exemptions.yaml", "exemptions: 7\n");
    assert!(host.load().unwrap_err().message.contains("lifecycle-exemptions.yaml"));
    host.write("lifecycle-exemptions.yaml", "# nobody\n");
    assert!(host.limits().exemptions.is_empty());
}
