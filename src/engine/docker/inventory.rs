//! The lists of containers and images, as workspaces. Never asks for sizes: those cost the engine seconds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::error::Result;
use crate::core::identity;
use crate::core::workspace::{CLIENT, RunState, Workspace};
use crate::port::{Clock, Image, Inventory};

use super::{LIMIT, Link};

/// One entry of the list of containers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    names: Option<Vec<String>>,
    image: Option<String>,
    #[serde(rename = "ImageID")]
    image_id: Option<String>,
    created: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    state: Option<String>,
}

/// One entry of the list of images.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageEntry {
    id: String,
    repo_tags: Option<Vec<String>>,
}

pub(super) async fn read(link: &Link, clock: &dyn Clock) -> Result<Inventory> {
    let (containers, images) = futures_util::join!(
        link.socket.json::<Vec<Container>>("the list of containers", "/containers/json?all=1", LIMIT),
        link.socket.json::<Vec<ImageEntry>>("the list of images", "/images/json", LIMIT),
    );
    // Names are not kept waiting for the first contact; the list that follows it knows better.
    let client = link.known().map_or(CLIENT, |session| session.client_name);
    Ok(Inventory {
        workspaces: containers?.into_iter().map(|container| workspace(link, client, container)).collect(),
        images: images.map(|images| images.into_iter().map(image).collect()),
        as_of: clock.now(),
    })
}

fn workspace(link: &Link, client: &'static str, container: Container) -> Workspace {
    let labels = container.labels.unwrap_or_default();
    let name = container.names.as_deref().and_then(own_name).unwrap_or(&container.id).to_string();
    Workspace {
        key: link.key(&container.id),
        name: identity::split_name(&name).project.to_string(),
        owner: identity::owner(&labels, &name, &|uid| link.host.user_name(uid)),
        project: identity::project(&labels, &name),
        image: container.image,
        image_id: container.image_id.filter(|id| !id.is_empty()),
        state: state(container.state.as_deref().unwrap_or_default()),
        created: container.created.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        managed_by: identity::managed_by(&labels),
        protected: identity::protected(&labels),
        client,
        container: Some(name),
        labels,
    }
}

/// The container's own name; names with a second slash come from links of other containers.
fn own_name(names: &[String]) -> Option<&str> {
    let bare = |name: &'_ String| -> Option<usize> {
        let rest = name.strip_prefix('/').unwrap_or(name);
        (!rest.is_empty() && !rest.contains('/')).then(|| name.len() - rest.len())
    };
    names.iter().find_map(|name| bare(name).map(|start| &name[start..]))
}

/// The engine's word for a state, Podman's included.
pub(super) fn state(word: &str) -> RunState {
    match word {
        "stopped" => RunState::Exited,
        "stopping" => RunState::Running,
        "configured" | "initialized" => RunState::Created,
        word => RunState::from_key(word),
    }
}

fn image(entry: ImageEntry) -> Image {
    let tags = entry.repo_tags.unwrap_or_default();
    Image { id: entry.id, tags: tags.into_iter().filter(|tag| tag != "<none>:<none>").collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_slash_and_links_of_others_are_not_names() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(own_name(&names(&["/web/db", "/db"])), Some("db"));
        assert_eq!(own_name(&names(&["db"])), Some("db"));
        assert_eq!(own_name(&names(&["/"])), None);
    }

    #[test]
    fn a_word_that_is_not_known_does_not_spoil_the_list() {
        let all: Vec<Container> =
            serde_json::from_str(r#"[{"Id":"a","State":"levitating","Names":null,"Labels":null}]"#)
                .unwrap_or_default();
        assert_eq!(all.len(), 1);
        assert_eq!(state("levitating"), RunState::Unknown);
        assert_eq!(state("stopped"), RunState::Exited);
    }
}
