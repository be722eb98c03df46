//! A container as the command that makes it: what `docker create` would be told.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{ContainerInspectResponse, HostConfig, RestartPolicyNameEnum};
use serde_json::Value;

/// The words of a command, quoted for a shell.
struct Words(Vec<String>);

impl Words {
    fn flag(&mut self, flag: &str) {
        self.0.push(flag.into());
    }

    fn pair(&mut self, flag: &str, value: impl AsRef<str>) {
        self.0.push(format!("{flag} {}", quoted(value.as_ref())));
    }

    fn some(&mut self, flag: &str, value: Option<&String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.pair(flag, value);
        }
    }

    fn all(&mut self, flag: &str, values: Option<&Vec<String>>) {
        for value in values.into_iter().flatten() {
            self.pair(flag, value);
        }
    }

    fn number(&mut self, flag: &str, value: Option<i64>) {
        if let Some(value) = value.filter(|value| *value != 0) {
            self.pair(flag, value.to_string());
        }
    }
}

/// A word that any shell reads as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The command. `host` is the host's part as it is handed back to the engine.
pub(super) fn create(
    client: &str,
    name: &str,
    inspected: &ContainerInspectResponse,
    host: &Value,
    networks: &HashMap<String, Value>,
    environment: &Path,
) -> String {
    let config = inspected.config.clone().unwrap_or_default();
    let host: HostConfig = serde_json::from_value(host.clone()).unwrap_or_default();
    let mut words = Words(vec![format!("{client} create")]);
    words.pair("--name", name);
    // The engine chooses it from the id unless it is told.
    let given = inspected.id.as_deref().and_then(|id| id.get(..12)) != config.hostname.as_deref();
    words.some("--hostname", config.hostname.as_ref().filter(|_| given && shares_no_name(&host)));
    words.some("--domainname", config.domainname.as_ref());
    words.some("--user", config.user.as_ref());
    words.some("--workdir", config.working_dir.as_ref());
    words.pair("--env-file", environment.to_string_lossy());
    let mut labels: Vec<_> = config.labels.iter().flatten().collect();
    labels.sort();
    for (key, value) in labels {
        words.pair("--label", format!("{key}={value}"));
    }
    if config.tty == Some(true) {
        words.flag("--tty");
    }
    if config.open_stdin == Some(true) {
        words.flag("--interactive");
    }
    words.some("--stop-signal", config.stop_signal.as_ref());
    words.number("--stop-timeout", config.stop_timeout);
    mounts(&mut words, &host);
    limits(&mut words, &host);
    rights(&mut words, &host);
    network(&mut words, &host, &config);
    let (first, rest) = config.entrypoint.as_deref().and_then(<[String]>::split_first).unzip();
    if let Some(first) = first {
        words.pair("--entrypoint", first);
    }
    words.0.push(quoted(config.image.as_deref().unwrap_or_default()));
    words.0.extend(rest.into_iter().flatten().map(|word| quoted(word)));
    words.0.extend(config.cmd.iter().flatten().map(|word| quoted(word)));
    let mode = host.network_mode.as_deref().unwrap_or_default();
    let mut others: Vec<_> = networks.keys().filter(|network| *network != mode && mode != "default").collect();
    others.sort();
    for network in others.into_iter().filter(|network| networks.len() > 1 || *network != mode) {
        if networks.contains_key(mode) {
            words.0.push(format!("&& {client} network connect {} {}", quoted(network), quoted(name)));
        }
    }
    words.0.join(" ")
}

/// With the host's own network the name is the host's.
fn shares_no_name(host: &HostConfig) -> bool {
    !matches!(host.network_mode.as_deref(), Some("host")) && host.uts_mode.as_deref() != Some("host")
}

fn mounts(words: &mut Words, host: &HostConfig) {
    words.all("--volume", host.binds.as_ref());
    for mount in host.mounts.iter().flatten() {
        let kind = mount.typ.map(|kind| kind.to_string()).unwrap_or_default();
        let mut text = format!("type={kind},target={}", mount.target.as_deref().unwrap_or_default());
        if let Some(source) = mount.source.as_deref().filter(|source| !source.is_empty()) {
            text = format!("{text},source={source}");
        }
        if mount.read_only == Some(true) {
            text.push_str(",readonly");
        }
        if let Some(bytes) = mount.tmpfs_options.as_ref().and_then(|options| options.size_bytes) {
            text = format!("{text},tmpfs-size={bytes}");
        }
        words.pair("--mount", text);
    }
    let mut tmpfs: Vec<_> = host.tmpfs.iter().flatten().collect();
    tmpfs.sort();
    for (target, options) in tmpfs {
        words.pair("--tmpfs", if options.is_empty() { target.clone() } else { format!("{target}:{options}") });
    }
    words.all("--volumes-from", host.volumes_from.as_ref());
    if host.readonly_rootfs == Some(true) {
        words.flag("--read-only");
    }
}

fn limits(words: &mut Words, host: &HostConfig) {
    words.number("--memory", host.memory);
    words.number("--memory-swap", host.memory_swap);
    words.number("--memory-reservation", host.memory_reservation);
    if let Some(nano) = host.nano_cpus.filter(|nano| *nano > 0) {
        let fraction = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
        words.pair("--cpus", fraction.trim_end_matches('0').trim_end_matches('.'));
    }
    words.number("--cpu-shares", host.cpu_shares);
    words.number("--cpu-period", host.cpu_period);
    words.number("--cpu-quota", host.cpu_quota);
    words.some("--cpuset-cpus", host.cpuset_cpus.as_ref());
    words.number("--pids-limit", host.pids_limit);
    // 64 MiB is what everybody gets.
    words.number("--shm-size", host.shm_size.filter(|bytes| *bytes != 64 << 20));
    for limit in host.ulimits.iter().flatten() {
        if let (Some(name), Some(soft), Some(hard)) = (&limit.name, limit.soft, limit.hard) {
            words.pair("--ulimit", format!("{name}={soft}:{hard}"));
        }
    }
    words.some("--cgroup-parent", host.cgroup_parent.as_ref());
    for request in host.device_requests.iter().flatten() {
        let ids = request.device_ids.as_ref().filter(|ids| !ids.is_empty());
        words.pair(
            "--gpus",
            match (ids, request.count) {
                (Some(ids), _) => format!("\"device={}\"", ids.join(",")),
                (None, Some(count)) if count > 0 => count.to_string(),
                _ => "all".into(),
            },
        );
    }
}

fn rights(words: &mut Words, host: &HostConfig) {
    if host.privileged == Some(true) {
        words.flag("--privileged");
    }
    words.all("--cap-add", host.cap_add.as_ref());
    words.all("--cap-drop", host.cap_drop.as_ref());
    words.all("--security-opt", host.security_opt.as_ref());
    words.all("--group-add", host.group_add.as_ref());
    for device in host.devices.iter().flatten() {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        let text =
            [part(&device.path_on_host), part(&device.path_in_container), part(&device.cgroup_permissions)];
        words.pair("--device", text.join(":").trim_end_matches(':'));
    }
    let mut sysctls: Vec<_> = host.sysctls.iter().flatten().collect();
    sysctls.sort();
    for (key, value) in sysctls {
        words.pair("--sysctl", format!("{key}={value}"));
    }
    words.some("--runtime", host.runtime.as_ref().filter(|runtime| *runtime != "runc"));
    words.some("--ipc", host.ipc_mode.as_ref().filter(|mode| *mode != "private" && *mode != "shareable"));
    words.some("--pid", host.pid_mode.as_ref());
    words.some("--uts", host.uts_mode.as_ref());
    words.some("--userns", host.userns_mode.as_ref());
    if host.init == Some(true) {
        words.flag("--init");
    }
    if host.auto_remove == Some(true) {
        words.flag("--rm");
    }
    let policy = host.restart_policy.as_ref();
    if let Some(name) = policy.and_then(|policy| policy.name) {
        let most = policy.and_then(|policy| policy.maximum_retry_count).filter(|count| *count > 0);
        match (name, most) {
            (RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY, _) => {}
            (name, Some(most)) => words.pair("--restart", format!("{name}:{most}")),
            (name, None) => words.pair("--restart", name),
        }
    }
    if let Some(log) = &host.log_config {
        words.some("--log-driver", log.typ.as_ref().filter(|driver| *driver != "json-file"));
        let mut options: Vec<_> = log.config.iter().flatten().collect();
        options.sort();
        for (key, value) in options {
            words.pair("--log-opt", format!("{key}={value}"));
        }
    }
}

fn network(words: &mut Words, host: &HostConfig, config: &bollard::models::ContainerConfig) {
    words.some("--network", host.network_mode.as_ref().filter(|mode| *mode != "default"));
    words.all("--dns", host.dns.as_ref());
    words.all("--dns-search", host.dns_search.as_ref());
    words.all("--add-host", host.extra_hosts.as_ref());
    let mut ports: Vec<_> = host.port_bindings.iter().flatten().collect();
    ports.sort_by_key(|(port, _)| (*port).clone());
    for (port, bindings) in ports {
        for binding in bindings.iter().flatten() {
            let ip = binding.host_ip.as_deref().filter(|ip| !ip.is_empty()).map(|ip| format!("{ip}:"));
            let on = binding.host_port.as_deref().unwrap_or_default();
            words.pair("--publish", format!("{}{on}:{port}", ip.unwrap_or_default()));
        }
    }
    let exposed: Vec<String> = config.exposed_ports.iter().flatten().cloned().collect();
    let published = |port: &String| host.port_bindings.as_ref().is_some_and(|all| all.contains_key(port));
    for port in exposed.iter().filter(|port| !published(port)) {
        words.pair("--expose", port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_breaks_out_of_its_quotes() {
        assert_eq!(quoted("a/b:c=1"), "a/b:c=1");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("a'; rm -rf /; '"), r"'a'\''; rm -rf /; '\'''");
        assert_eq!(quoted("$(x)\n"), "'$(x)\n'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_command_says_what_was_chosen_and_no_value_of_a_variable() {
        let said = serde_json::json!({
            "Id": "0123456789abcdef",
            "Config": {
                "Hostname": "0123456789ab", "User": "1001:1001", "WorkingDir": "/workspace",
                "Env": ["TOKEN=hidden"], "Cmd": ["sh", "-c", "sleep 1; true"], "Image": "i:1",
                "Entrypoint": ["/run", "it"], "Labels": {"b": "2", "a": "1 x"}, "Tty": true
            },
            "HostConfig": {
                "Binds": ["/srv/p:/workspace"], "Memory": 67_108_864, "NanoCpus": 1_500_000_000,
                "NetworkMode": "none", "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
                "Tmpfs": {"/scratch": "size=1m"}, "PidsLimit": 100, "ShmSize": 67_108_864, "CapAdd": ["SYS_PTRACE"]
            }
        });
        let host = said["HostConfig"].clone();
        let inspected = serde_json::from_value(said).unwrap();
        let command =
            create("docker", "p._.1001", &inspected, &host, &HashMap::new(), Path::new("/state/undo/x.env"));
        assert_eq!(
            command,
            "docker create --name p._.1001 --user 1001:1001 --workdir /workspace --env-file /state/undo/x.env \
             --label 'a=1 x' --label b=2 --tty --volume /srv/p:/workspace --tmpfs /scratch:size=1m \
             --memory 67108864 --cpus 1.5 --pids-limit 100 --cap-add SYS_PTRACE --restart unless-stopped \
             --network none --entrypoint /run i:1 it sh -c 'sleep 1; true'"
        );
    }
}
