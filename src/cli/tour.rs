//! `outlast tour`: the golden rule, shown on a throw-away container that leaves nothing behind.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use futures_util::FutureExt as _;
use serde::Serialize;

use super::args::TourArgs;
use super::context::Context;
use super::interrupt::Interrupt;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, Trouble};
use crate::text::printable;
use crate::work::tour::{Act, Split, Step, Tour};

/// The width that text is broken at.
const COLUMNS: usize = 76;

/// `tour --json`.
#[derive(Serialize)]
struct Report<'r> {
    #[serde(flatten)]
    head: Head,
    steps: &'r [Step],
    predicted: Option<&'r Split>,
    found: Option<&'r Split>,
    left_behind: &'r [String],
}

/// Goes through the tour; 1 where something was not as predicted or is left behind.
pub(super) async fn run(args: &TourArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let mut tour =
        Tour::new(engine, &context.profiles, &context.profiles.without_workspace(), &context.host, clock)?;
    let mut steps = tour.steps();
    if args.dry_run {
        if args.json {
            return report(&tour, &steps, &[], None, context, out).map(|()| 0);
        }
        out.lines(["These are the steps. Nothing is made.", ""])?;
        for (index, step) in steps.iter().enumerate() {
            out.lines(heading(index, step).into_iter().chain([String::new()]))?;
        }
        return Ok(0);
    }
    may_go_on(args)?;
    let mut interrupt = Interrupt::listen()?;
    for name in tour.sweep().await.map_err(or_in_memory)? {
        super::warn(&format!("{name} was left behind by a tour that was cut off; it is removed now"));
    }
    let walked = walk(&mut tour, &mut steps, args, &mut interrupt, out).await;
    // Nothing may return before this: what was made is cleared away on every path.
    let left = tour.clear().await;
    let told = tell(&tour, &mut steps, &left, walked.as_ref().err(), args, context, out);
    for name in &left {
        super::warn(&format!("{name} is left behind; the next tour removes it"));
    }
    walked?;
    told?;
    Ok(u8::from(!tour.as_predicted() || !left.is_empty()))
}

/// Everything up to clearing away.
async fn walk(
    tour: &mut Tour<'_>,
    steps: &mut [Step],
    args: &TourArgs,
    interrupt: &mut Interrupt,
    out: &mut Out,
) -> Result<()> {
    if !args.json {
        out.lines(["A short tour on a throw-away container. It leaves nothing behind.", ""])?;
    }
    for (index, step) in steps.iter_mut().enumerate().filter(|(_, step)| step.step != Act::Clear) {
        if interrupt.came().now_or_never().is_some() {
            return Err(interrupted());
        }
        if step.step == Act::Retire && !args.yes {
            ask(interrupt).await?;
            out.lines([""])?;
        }
        if !args.json {
            out.lines(heading(index, step))?;
        }
        let result = waited(tour.perform(step.step), interrupt).await?;
        if !args.json {
            out.lines(outcome(&result))?;
        }
        step.result = Some(result);
    }
    Ok(())
}

/// Waits for a step to its end, for an engine goes on with what it was asked; an interrupt counts after it.
async fn waited<T>(step: impl Future<Output = Result<T>>, interrupt: &mut Interrupt) -> Result<T> {
    let mut step = std::pin::pin!(step);
    tokio::select! {
        done = &mut step => done,
        () = interrupt.came() => {
            super::warn("the tour ends after this step, and clears away what it made");
            step.await?;
            Err(interrupted())
        }
    }
}

/// The last step, and what to remember; for a script everything in one object.
fn tell(
    tour: &Tour<'_>,
    steps: &mut [Step],
    left: &[String],
    error: Option<&Error>,
    args: &TourArgs,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let done = if left.is_empty() { "Nothing is left behind." } else { "Not everything could be removed." };
    let count = steps.len();
    let Some(last) = steps.last_mut() else { return Ok(()) };
    last.result = Some(vec![done.into()]);
    if args.json {
        return report(tour, steps, left, error, context, out);
    }
    if error.is_some() {
        return out.lines(["", done]);
    }
    out.lines(heading(count - 1, last))?;
    out.lines(outcome(&[done.into()]))?;
    let Some(found) = tour.found.as_ref().filter(|_| tour.as_predicted()) else {
        return out.lines(["What was found is not what was predicted. Please report this."]);
    };
    let kept: Vec<_> = found.kept.iter().filter_map(|path| path.rsplit_once('/')).collect();
    let Some((folder, _)) = kept.first() else { return Ok(()) };
    let rule = format!(
        "Remember: save in {}. What lies elsewhere in a container goes with it. `outlast risk` \
         lists such files.",
        printable(folder)
    );
    out.lines(wrapped(&rule))
}

fn report(
    tour: &Tour<'_>,
    steps: &[Step],
    left: &[String],
    error: Option<&Error>,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let errors: Vec<_> =
        error.map(|error| Trouble::new(context.endpoint(), "tour", error)).into_iter().collect();
    let head = Head::new(context.clock.now(), errors.is_empty() && left.is_empty(), errors);
    let (predicted, found) = (tour.predicted.as_ref(), tour.found.as_ref());
    out.json(&Report { head, steps, predicted, found, left_behind: left })
}

/// A step's sentence and its commands.
fn heading(index: usize, step: &Step) -> Vec<String> {
    let mut lines = wrapped(&step.says);
    for (line, text) in lines.iter_mut().enumerate() {
        let before = if line == 0 { format!("{}. ", index + 1) } else { "   ".into() };
        text.insert_str(0, &before);
    }
    let mut goes_on = false;
    for command in &step.commands {
        lines.push(format!("   {} {}", if goes_on { " " } else { "$" }, printable(command)));
        goes_on = command.ends_with('\\');
    }
    lines
}

/// What came of a step, set off from its commands.
fn outcome(result: &[String]) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(result.iter().map(|line| format!("   {line}")));
    if !result.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Breaks a text between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// Whether somebody can be asked, or said yes already.
fn may_go_on(args: &TourArgs) -> Result<()> {
    let somebody = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !args.json;
    if args.yes || somebody {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "nobody is there to go on with the tour")
        .hint("`--yes` does not ask, `--dry-run` shows the steps"))
}

/// Waits for an answer; Enter is yes, for everything at stake was made by the tour.
async fn ask(interrupt: &mut Interrupt) -> Result<()> {
    {
        let mut stderr = std::io::stderr().lock();
        // An answer can be given also where the question could not be shown.
        let _ = write!(stderr, "go on and remove the container? [Y/n] ").and_then(|()| stderr.flush());
    }
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.is_ok_and(|bytes| bytes > 0).then_some(answer)
    });
    let answer = tokio::select! {
        answer = answer => answer.ok().flatten(),
        () = interrupt.came() => return Err(interrupted()),
    };
    match answer.as_deref().map(str::trim).map(str::to_lowercase).as_deref() {
        Some("" | "y" | "yes") => Ok(()),
        _ => Err(Error::new(Kind::Cancelled, "the tour ends here")),
    }
}

fn interrupted() -> Error {
    Error::new(Kind::Cancelled, "the tour was interrupted")
}

/// An engine that may not be used is no reason to go without.
fn or_in_memory(error: Error) -> Error {
    error.hint("`outlast --engine demo tour` shows it in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_fit() {
        let lines = wrapped(&"word ".repeat(40));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= COLUMNS), "{lines:?}");
        assert_eq!(wrapped("one  two"), ["one two"]);
    }
}
