//! `outlast schedule [NAME]`: prints what makes this machine back up by itself. Nothing is installed.

use serde::Serialize;

use super::args::ScheduleArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::report::Head;
use crate::core::schedule::Schedule;
use crate::text::printable;

#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    head: Head,
    /// `systemd` or `cron`.
    kind: &'static str,
    files: Vec<File>,
    /// The line for cron.
    line: Option<String>,
    /// What is set here and would not be there.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct File {
    name: String,
    text: String,
}

/// Prints units, or a line for cron where that was asked for.
pub(super) fn run(args: &ScheduleArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let name = args.name.clone().unwrap_or_default();
    let odd = || {
        Error::new(Kind::Usage, format!("“{}” cannot be written in one line", printable(&name)))
            .hint("name the workspace by the start of its id")
    };
    let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
    let program = program.unwrap_or_else(|| "outlast".into());
    // Nobody is there to be asked; two runs at once are none.
    let mut words = vec![program, "backup".into(), "--due".into(), "--yes".into()];
    words.extend(args.older_than.iter().map(|age| format!("--older-than={age}")));
    // After the dashes anything is a name.
    words.extend(args.name.iter().flat_map(|name| ["--".into(), name.clone()]));
    let schedule = Schedule { name: args.name.clone(), words };
    let notes = notes(context);
    let head = Head::new(context.clock.now(), true, Vec::new());
    if args.cron {
        let line = schedule.cron().ok_or_else(odd)?;
        if args.json {
            out.json(&Printed { head, kind: "cron", files: Vec::new(), line: Some(line), notes })?;
        } else {
            out.lines(["# add this line with: crontab -e", &line])?;
            out.lines(notes.iter().map(|note| format!("# {note}")))?;
        }
        return Ok(0);
    }
    let files = schedule.systemd().ok_or_else(odd)?;
    if args.json {
        let files = files.into_iter().map(|(name, text)| File { name, text }).collect();
        out.json(&Printed { head, kind: "systemd", files, line: None, notes })?;
        return Ok(0);
    }
    for (name, text) in &files {
        out.lines([format!("# ~/.config/systemd/user/{name}")])?;
        out.lines(text.lines())?;
        out.lines([""])?;
    }
    out.lines([
        "# when both files are there:".to_owned(),
        format!(
            "#   systemctl --user daemon-reload && systemctl --user enable --now {}.timer",
            schedule.unit()
        ),
        "# so that it runs while you are not logged in:".to_owned(),
        "#   loginctl enable-linger".to_owned(),
    ])?;
    out.lines(notes.iter().map(|note| format!("# {note}")))?;
    Ok(0)
}

/// What holds here and not where the timer runs: variables of this shell do not reach it. No address
/// is printed, since it may hold a password.
fn notes(context: &Context<'_>) -> Vec<String> {
    let settings = &context.config.backup;
    let pairs = [
        ("OUTLAST_REPOSITORY", "repository", settings.repository.is_some()),
        ("OUTLAST_PASSWORD_FILE", "password_file", settings.password_file.is_some()),
    ];
    let only_here = pairs.iter().filter(|(variable, _, set)| !set && std::env::var_os(variable).is_some());
    only_here
        .map(|(variable, setting, _)| {
            format!("{variable} is set in this shell alone: write it into the settings, [backup] {setting}")
        })
        .collect()
}
