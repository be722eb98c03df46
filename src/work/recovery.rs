//! The steps that bring a workspace back, as commands to copy. Only what is true here is offered:
//! the engine's own commands, every part quoted for a POSIX shell.

use std::path::Path;

use super::explain::quote;
use crate::core::aftermath::Aftermath;
use crate::core::classify::Classifier;
use crate::core::event::Event;
use crate::core::mount::Mount;
use crate::core::report::Layers;
use crate::core::situation::{Recovery, Scenario};
use crate::core::workspace::{RunState, Workspace};

/// What steps are made from.
pub(super) struct Means<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) classifier: Classifier<'a>,
    pub(super) layers: &'a Layers,
    /// The mount whose folder was deleted.
    pub(super) deleted: Option<&'a Mount>,
    /// The file that the image is built from, where one was found.
    pub(super) dockerfile: Option<&'a Path>,
}

/// What to do, the first first.
pub(super) fn steps(scenario: Scenario, means: &Means<'_>) -> Vec<Recovery> {
    match scenario {
        Scenario::Crashed | Scenario::EndedWithHost | Scenario::Ended => {
            [means.start(), means.last_words()].into_iter().flatten().collect()
        }
        Scenario::NeverStarted => means.start().into_iter().collect(),
        Scenario::Retired => means.make_again(),
        Scenario::ImageDeleted => [means.save_image(), means.image_again()].into_iter().flatten().collect(),
        Scenario::WorkspaceDeleted => means.folder_again(),
    }
}

fn step(says: &str, command: String) -> Recovery {
    Recovery { says: says.into(), command: Some(command), key: None }
}

fn told(says: impl Into<String>) -> Recovery {
    Recovery { says: says.into(), command: None, key: None }
}

impl Means<'_> {
    const fn client(&self) -> &'static str {
        self.workspace.client
    }

    fn name(&self) -> Option<String> {
        quote(Path::new(self.workspace.container.as_deref()?))
    }

    fn is_pod(&self) -> bool {
        self.workspace.managed_by.as_deref() == Some("pod")
    }

    /// Starts it again, where that is the same container.
    fn start(&self) -> Option<Recovery> {
        if self.is_pod() || self.classifier.detail.state == RunState::Dead {
            return Some(told("its controller makes a new one; this one cannot be started again"));
        }
        if self.deleted.is_some() {
            return None;
        }
        let profile = &self.classifier.rules.profile;
        if self.classifier.after(Event::Stop) == Aftermath::Recreated {
            let says =
                format!("start it with {}'s own page or tools: a new container takes its place", profile.title);
            return Some(told(says));
        }
        let command = format!("{} start {}", self.client(), self.name()?);
        let says = "start it again: the same container, with all files of its layer";
        Some(Recovery { key: Some("S"), ..step(says, command) })
    }

    fn last_words(&self) -> Option<Recovery> {
        if self.is_pod() {
            return None;
        }
        Some(step("read its last words", format!("{} logs --tail 50 {}", self.client(), self.name()?)))
    }

    /// A new container from the same image with the same folder.
    fn make_again(&self) -> Vec<Recovery> {
        let folder = self.layers.workspace.name.as_deref();
        let image = self.layers.image.name.as_deref().filter(|_| self.layers.image.exists == Some(true));
        let run = image.zip(folder).and_then(|(image, folder)| {
            let target = self.classifier.rules.workspace.as_deref().unwrap_or(Path::new("/workspace"));
            let target = target.to_str()?;
            // A comma would begin the next option.
            if folder.contains([',', '"']) || target.contains([',', '"']) {
                return None;
            }
            let mount = quote(Path::new(&format!("type=bind,src={folder},dst={target}")))?;
            let (name, image) = (quote(Path::new(&self.workspace.name))?, quote(Path::new(image))?);
            Some(format!("{} run -it --name {name} --mount {mount} {image}", self.client()))
        });
        let run = run.map(|run| step("make a new container from the same image, with the same folder", run));
        let build = || self.build().filter(|_| image.is_none());
        let choose = || told("make a new container from an image of your choice, and mount the folder into it");
        vec![run.or_else(build).unwrap_or_else(choose)]
    }

    /// Saves what the container holds of its image while it is there.
    fn save_image(&self) -> Option<Recovery> {
        if self.is_pod() {
            return None;
        }
        let container = self.name()?;
        let (image, client) = (tag(&self.workspace.name), self.client());
        // A commit needs the image that is gone; an export does not.
        Some(step(
            "save its files as a new image while it is there; the image's command and variables are not in it",
            format!("{client} export {container} | {client} import - {image}"),
        ))
    }

    fn image_again(&self) -> Option<Recovery> {
        if let Some(build) = self.build() {
            return Some(build);
        }
        let image = self.workspace.image.as_deref().filter(|image| !is_an_id(image))?;
        let pull = format!("{} pull {}", self.client(), quote(Path::new(image))?);
        Some(step("fetch it again, if it came from a registry", pull))
    }

    /// Builds the image from the Dockerfile that was found.
    fn build(&self) -> Option<Recovery> {
        let file = self.dockerfile?;
        let folder = quote(file.parent()?)?;
        let image = self.workspace.image.as_deref().filter(|image| !is_an_id(image));
        let image = image.map_or_else(|| tag(&self.workspace.name), ToOwned::to_owned);
        let (file, image) = (quote(file)?, quote(Path::new(&image))?);
        Some(step(
            "build its image again; packages added by hand are not in it",
            format!("{} build -t {image} -f {file} {folder}", self.client()),
        ))
    }

    /// What a deleted folder leaves: what the running container still sees, and copies elsewhere.
    fn folder_again(&self) -> Vec<Recovery> {
        let mut steps = Vec::new();
        let running = self.classifier.detail.state == RunState::Running;
        if let Some(mount) = self.deleted.filter(|_| running)
            && let (Some(name), Some(target)) = (self.name(), quote(&mount.target))
        {
            steps.push(step(
                "copy what the container still sees into the current folder, before it stops",
                format!("{} exec {name} tar -C {target} -cf - . | tar -xkf -", self.client()),
            ));
        } else if self.workspace.container.is_some() {
            steps.push(told("bring the folder back first: a start may make an empty one in its place"));
        }
        steps.push(told("code that was pushed can be cloned again; data comes back from a backup alone"));
        steps
    }
}

/// A name that an image may have, from a workspace's.
fn tag(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "workspace:saved".into() } else { format!("{}:saved", words.join("-")) }
}

/// Whether an image is named by its id alone.
fn is_an_id(image: &str) -> bool {
    image.starts_with("sha256:") || (image.len() >= 12 && image.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_one_that_an_image_may_have() {
        assert_eq!(tag("My-Project._.1001"), "my-project-1001:saved");
        assert_eq!(tag("$(reboot)"), "reboot:saved");
        assert_eq!(tag("日本"), "workspace:saved");
    }

    #[test]
    fn an_id_cannot_be_fetched() {
        assert!(is_an_id("sha256:12") && is_an_id("0123456789ab"));
        assert!(!is_an_id("debian:12") && !is_an_id("cafe"));
    }
}
