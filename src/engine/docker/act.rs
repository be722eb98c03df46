//! Runs the steps of plans: what is done to containers and images, by explicit names, never with
//! volumes, never by force.

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptions,
    RenameContainerOptionsBuilder, RestartContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder, TagImageOptionsBuilder,
};

use crate::core::deed::Deed;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Step, Verb};

use super::{Link, RUN_LIMIT, STOP_GRACE, again};

pub(super) async fn run(link: &Link, step: &Step) -> Result<()> {
    let session = link.session().await?;
    let client = &session.client;
    let id = &step.subject.id;
    match (step.verb, step.deed.as_deref()) {
        (Verb::Start, _) => {
            let call = client.start_container(id, None::<StartContainerOptions>);
            link.within("starting the container", RUN_LIMIT, call).await
        }
        (Verb::Stop, _) => {
            let grace = i32::try_from(STOP_GRACE.as_secs()).unwrap_or(10);
            let options = StopContainerOptionsBuilder::default().t(grace).build();
            link.within("stopping the container", RUN_LIMIT, client.stop_container(id, Some(options))).await
        }
        (Verb::Restart, _) => {
            let grace = i32::try_from(STOP_GRACE.as_secs()).unwrap_or(10);
            let options = RestartContainerOptionsBuilder::default().t(grace).build();
            let call = client.restart_container(id, Some(options));
            link.within("restarting the container", RUN_LIMIT, call).await
        }
        (Verb::Pause, _) => link.within("pausing the container", RUN_LIMIT, client.pause_container(id)).await,
        (Verb::Unpause, _) => {
            link.within("letting the container go on", RUN_LIMIT, client.unpause_container(id)).await
        }
        (Verb::Remove, _) => remove(link, id).await,
        (Verb::Pin, Some(Deed::Image { image, tag })) => {
            let (repo, tag) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
            let options = TagImageOptionsBuilder::default().repo(repo).tag(tag).build();
            link.within("naming the image", RUN_LIMIT, client.tag_image(image, Some(options))).await
        }
        (Verb::RemoveImage | Verb::Unpin, Some(Deed::Image { image, .. })) => {
            let call = client.remove_image(image, None::<RemoveImageOptions>, None);
            link.within("removing the image", RUN_LIMIT, call).await.map(drop)
        }
        (Verb::Commit, Some(Deed::Image { image: container, tag })) => {
            let (repo, tag) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
            let options =
                CommitContainerOptionsBuilder::default().container(container).repo(repo).tag(tag).build();
            let call = client.commit_container(options, ContainerConfig::default());
            link.within("making an image of the container", COMMIT_LIMIT, call).await.map(drop)
        }
        (Verb::Make, Some(Deed::Make { recipe })) => again::make(link, recipe, id).await,
        (Verb::Name, Some(Deed::Name { to })) => {
            let options = RenameContainerOptionsBuilder::default().name(to).build();
            link.within("naming the container", RUN_LIMIT, client.rename_container(id, options)).await
        }
        _ => Err(Error::new(Kind::NotSupported, "files are not the engine's to change")),
    }
}

/// How long an image of a container may take to be made: all of its layer is read.
const COMMIT_LIMIT: std::time::Duration = std::time::Duration::from_mins(9);

/// Removes a container that does not run; its volumes stay.
async fn remove(link: &Link, id: &str) -> Result<()> {
    let session = link.session().await?;
    let deadline = tokio::time::Instant::now() + RUN_LIMIT;
    loop {
        let options = RemoveContainerOptionsBuilder::default().v(false).force(false).build();
        let call = session.client.remove_container(id, Some(options));
        match link.within("removing the container", RUN_LIMIT, call).await {
            // One that removes itself went on its own.
            Err(error) if error.kind == Kind::NotFound => return Ok(()),
            Err(error) if error.message.contains("already in progress") => {
                if tokio::time::Instant::now() > deadline {
                    return Err(error);
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            gone => return gone,
        }
    }
}
