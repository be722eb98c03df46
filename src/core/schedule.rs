//! Texts that make a machine back up by itself: a systemd service with its timer, or a line for cron.
//! They are printed; nobody installs them but the person.

use std::fmt::Write as _;

/// What backs up, as words that no shell has read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The workspace or folder, for people; all workspaces where `None`.
    pub name: Option<String>,
    /// The program and its arguments.
    pub words: Vec<String>,
}

impl Schedule {
    /// The files of systemd: their names and texts. `None` where a word cannot be written in one line.
    pub fn systemd(&self) -> Option<[(String, String); 2]> {
        let words: Option<Vec<String>> = self.words.iter().map(|word| systemd_word(word)).collect();
        let unit = self.unit();
        let about = systemd_text(self.name.as_deref().unwrap_or("all workspaces"));
        let service = format!(
            "[Unit]\nDescription=Back up {about} where that is due\nAfter=network-online.target\n\n\
             [Service]\nType=oneshot\nExecStart={}\nNice=10\nIOSchedulingClass=idle\n",
            words?.join(" ")
        );
        let timer = format!(
            "[Unit]\nDescription=Back up {about} every day\n\n\
             [Timer]\nOnCalendar=daily\nRandomizedDelaySec=1h\nPersistent=true\n\n\
             [Install]\nWantedBy=timers.target\n"
        );
        Some([(format!("{unit}.service"), service), (format!("{unit}.timer"), timer)])
    }

    /// A line for `crontab -e`, once a day. `None` where a word cannot be written in one line.
    pub fn cron(&self) -> Option<String> {
        let words: Option<Vec<String>> = self.words.iter().map(|word| cron_word(word)).collect();
        // Not on the hour, where everybody's jobs begin; the same minute for the same name.
        let minute =
            self.unit().bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 60;
        Some(format!("{minute} 3 * * * {}", words?.join(" ")))
    }

    /// A name for units: letters, digits and dashes of the workspace's.
    pub fn unit(&self) -> String {
        let mut unit = String::from("outlast-backup");
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        if let Some(name) = &self.name {
            unit.push('-');
            unit.extend(name.trim_matches('/').chars().map(plain).take(80));
        }
        unit
    }
}

/// A word of `ExecStart=`: in quotes, with all that systemd would take for its own written out.
fn systemd_word(word: &str) -> Option<String> {
    let mut out = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            '$' => out.push_str("$$"),
            c if u32::from(c) < 128 && c.is_control() => {
                if c == '\0' {
                    return None;
                }
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    Some(out)
}

/// Text of a description: in one line.
fn systemd_text(text: &str) -> String {
    crate::text::printable(text).replace('\\', "\\\\").replace('%', "%%")
}

/// A word for the shell that cron starts; cron itself reads `%` and `\` before.
fn cron_word(word: &str) -> Option<String> {
    if word.is_empty() || word.chars().any(char::is_control) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=".contains(c);
    let quoted =
        if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) };
    Some(quoted.replace('\\', "\\\\").replace('%', "\\%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Schedule {
        let words = ["/usr/bin/outlast", "backup", "--due", name].map(str::to_owned).into();
        Schedule { name: Some(name.into()), words }
    }

    #[test]
    fn a_plain_name_is_written_plainly() {
        let [(service, text), (timer, when)] = of("thesis").systemd().unwrap();
        assert_eq!(
            (service.as_str(), timer.as_str()),
            ("outlast-backup-thesis.service", "outlast-backup-thesis.timer")
        );
        assert!(text.contains("ExecStart=\"/usr/bin/outlast\" \"backup\" \"--due\" \"thesis\"\n"), "{text}");
        assert!(when.contains("OnCalendar=daily") && when.contains("Persistent=true"), "{when}");
        assert!(of("thesis").cron().unwrap().ends_with(" 3 * * * /usr/bin/outlast backup --due thesis"));
    }

    #[test]
    fn without_a_name_it_is_about_all() {
        let all = Schedule { name: None, words: vec!["outlast".into()] };
        let [(service, text), _] = all.systemd().unwrap();
        assert_eq!(service, "outlast-backup.service");
        assert!(text.contains("Description=Back up all workspaces where that is due"), "{text}");
    }

    #[test]
    fn no_name_is_more_than_one_word() {
        let evil = "a b; rm -rf ~ $(x) `y` %h \"q\" 'z' \\";
        let [(unit, text), _] = of(evil).systemd().unwrap();
        assert!(unit.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)), "{unit}");
        let line = text.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
        assert!(line.ends_with(r#""a b; rm -rf ~ $$(x) `y` %%h \"q\" 'z' \\""#), "{line}");
        let cron = of(evil).cron().unwrap();
        assert!(cron.ends_with(r#"'a b; rm -rf ~ $(x) `y` \%h "q" '\\''z'\\'' \\'"#), "{cron}");
    }

    #[test]
    fn a_line_end_stays_within_its_word_or_is_refused() {
        let [(_, text), _] = of("a\nExecStart=/bin/evil").systemd().unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("ExecStart=")).count(), 1, "{text}");
        assert_eq!(of("a\n* * * * * evil").cron(), None);
    }
}
