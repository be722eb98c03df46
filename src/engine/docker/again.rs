//! Making a container again: what the engine says of it is kept whole, and handed back to the engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, EndpointSettings, NetworkConnectRequest, NetworkingConfig,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::error::{Error, Kind, Result};
use crate::core::recipe::Recipe;

use super::{LIMIT, Link, RUN_LIMIT, blocking, command, http};

/// What a recipe's specification holds: the engine's own words, but for what it decides anew.
#[derive(Serialize, Deserialize)]
struct Spec {
    config: Value,
    host: Value,
    /// The networks it was in, by name.
    networks: HashMap<String, Value>,
}

/// What is needed to make a container again.
pub(super) async fn recipe(link: &Link, id: &str, environment: &Path) -> Result<Recipe> {
    let session = link.session().await?;
    let place = format!("/containers/{}/json", http::encoded(id));
    let mut said: Value = link.socket.json("a look at the container", &place, LIMIT).await?;
    // Said to have none, an engine would take the image's again.
    if said["Config"]["Entrypoint"].is_null() && has_entrypoint(link, &said["Image"]).await? {
        said["Config"]["Entrypoint"] = serde_json::json!([""]);
    }
    let inspected: ContainerInspectResponse =
        serde_json::from_value(said.clone()).map_err(|why| garbled(&why))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&said["Name"]).unwrap_or_default().trim_start_matches('/').to_owned();
    let image = text(&said["Config"]["Image"]).unwrap_or_default();
    let mut host = said["HostConfig"].clone();
    keep_volumes(&inspected, &mut host);
    // The engine's own notes of what it did, which it does not take back.
    if let Some(host) = host.as_object_mut() {
        host.remove("ContainerIDFile");
    }
    let networks = said["NetworkSettings"]["Networks"].as_object().cloned().unwrap_or_default();
    let short = id.get(..12).unwrap_or(id);
    let networks: HashMap<String, Value> =
        networks.into_iter().map(|(name, settings)| (name, lasting(&settings, short))).collect();
    let spec = Spec { config: said["Config"].clone(), host, networks };
    let variables: Vec<String> = inspected.config.as_ref().and_then(|c| c.env.clone()).unwrap_or_default();
    // A file of variables has one on each line.
    let (environment_lines, odd): (Vec<_>, Vec<_>) =
        variables.into_iter().partition(|line| !line.contains('\n') && !line.starts_with('#'));
    let mut notes = Vec::new();
    if !odd.is_empty() {
        notes.push("a variable whose value has several lines is not in the command".to_owned());
    }
    let call = command::create(session.client_name, &name, &inspected, &spec.host, &spec.networks, environment);
    Ok(Recipe {
        name,
        image,
        image_id: text(&said["Image"]),
        spec: serde_json::to_string(&spec).map_err(|why| garbled(&why))?,
        command: call,
        environment: environment_lines,
        notes,
    })
}

/// Whether an image starts containers with a program of its own.
async fn has_entrypoint(link: &Link, image: &Value) -> Result<bool> {
    let Some(id) = image.as_str() else { return Ok(false) };
    let place = format!("/images/{}/json", http::encoded(id));
    match link.socket.json::<Value>("a look at the image", &place, LIMIT).await {
        Ok(image) => Ok(image["Config"]["Entrypoint"].as_array().is_some_and(|words| !words.is_empty())),
        // Without its image it cannot be made again at all.
        Err(error) if error.kind == Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A volume that was made for this container alone is mounted by its name next time, or the engine
/// would make another. One that goes with a container that removes itself is made anew.
fn keep_volumes(inspected: &ContainerInspectResponse, host: &mut Value) {
    if host["AutoRemove"] == Value::Bool(true) {
        return;
    }
    let listed = |place: &str| {
        let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mounts = host["Mounts"].as_array().into_iter().flatten();
        binds.filter_map(|bind| bind.split(':').nth(1)).any(|target| target == place)
            || mounts
                .filter(|mount| !mount["Source"].is_null() && mount["Source"] != "")
                .any(|mount| mount["Target"].as_str() == Some(place))
    };
    let mut more = Vec::new();
    for point in inspected.mounts.iter().flatten() {
        let (Some("volume"), Some(name), Some(target)) =
            (point.typ.as_deref(), &point.name, &point.destination)
        else {
            continue;
        };
        if !listed(target) {
            let read_only = if point.rw == Some(false) { ":ro" } else { "" };
            more.push((target.clone(), format!("{name}:{target}{read_only}")));
        }
    }
    let Some(host) = host.as_object_mut() else { return };
    // Asked for without a name it would be made anew beside the one that is there.
    if let Some(mounts) = host.get_mut("Mounts").and_then(Value::as_array_mut) {
        mounts.retain(|mount| !more.iter().any(|(target, _)| mount["Target"].as_str() == Some(target)));
    }
    if !more.is_empty() {
        let binds = host.entry("Binds").or_insert(Value::Null);
        if !binds.is_array() {
            *binds = Value::Array(Vec::new());
        }
        if let Some(binds) = binds.as_array_mut() {
            binds.extend(more.into_iter().map(|(_, bind)| Value::String(bind)));
        }
    }
}

/// What a person chose of a network's settings; addresses are given out anew.
fn lasting(settings: &Value, short: &str) -> Value {
    let mut kept = serde_json::Map::new();
    for field in ["IPAMConfig", "Links", "DriverOpts"] {
        if !settings[field].is_null() {
            kept.insert(field.into(), settings[field].clone());
        }
    }
    let aliases: Vec<Value> = settings["Aliases"]
        .as_array()
        .into_iter()
        .flatten()
        // The engine adds the beginning of the id by itself.
        .filter(|alias| alias.as_str() != Some(short))
        .cloned()
        .collect();
    if !aliases.is_empty() {
        kept.insert("Aliases".into(), Value::Array(aliases));
    }
    Value::Object(kept)
}

/// What is missing to make it again.
pub(super) async fn lacks(link: &Link, recipe: &Recipe) -> Result<Vec<String>> {
    let session = link.session().await?;
    let spec = spec(recipe)?;
    let mut missing = Vec::new();
    if image(link, recipe).await?.is_none() {
        missing.push(format!("its image {} is gone", crate::text::printable(&recipe.image)));
    }
    let mut folders = Vec::new();
    let mut volumes = Vec::new();
    for bind in spec.host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let source = bind.split(':').next().unwrap_or_default();
        if source.starts_with('/') {
            folders.push(PathBuf::from(source));
        } else {
            volumes.push(source.to_owned());
        }
    }
    for mount in spec.host["Mounts"].as_array().into_iter().flatten() {
        match (mount["Type"].as_str(), mount["Source"].as_str().filter(|source| !source.is_empty())) {
            (Some("bind"), Some(source)) => folders.push(source.into()),
            (Some("volume"), Some(source)) => volumes.push(source.to_owned()),
            _ => {}
        }
    }
    if session.local {
        let gone = blocking(move || {
            folders.into_iter().filter(|folder| folder.symlink_metadata().is_err()).collect::<Vec<_>>()
        })
        .await?;
        missing.extend(
            gone.iter().map(|folder| format!("the folder {} is gone", crate::text::printable_path(folder))),
        );
    }
    for volume in volumes {
        let looked = link.within("a look at a volume", LIMIT, session.client.inspect_volume(&volume)).await;
        match looked {
            Err(error) if error.kind == Kind::NotFound => {
                missing.push(format!("the volume {} is gone", crate::text::printable(&volume)));
            }
            looked => drop(looked?),
        }
    }
    for network in spec.networks.keys() {
        let place = format!("/networks/{}", http::encoded(network));
        match link.socket.json::<Value>("a look at a network", &place, LIMIT).await {
            Err(error) if error.kind == Kind::NotFound => {
                missing.push(format!("the network {} is gone", crate::text::printable(network)));
            }
            looked => drop(looked?),
        }
    }
    Ok(missing)
}

/// By which name its image is still to be had: as it was asked for, else by its id.
async fn image(link: &Link, recipe: &Recipe) -> Result<Option<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Image {
        id: String,
    }
    let wanted = recipe.image_id.as_deref();
    for name in [Some(recipe.image.as_str()), wanted].into_iter().flatten().filter(|name| !name.is_empty()) {
        let place = format!("/images/{}/json", http::encoded(name));
        match link.socket.json::<Image>("a look at the image", &place, LIMIT).await {
            // Another image may have that name by now.
            Ok(found) if wanted.is_none_or(|wanted| wanted == found.id) => return Ok(Some(name.to_owned())),
            Err(error) if error.kind != Kind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// Makes it under a name of its own.
pub(super) async fn make(link: &Link, recipe: &Recipe, name: &str) -> Result<()> {
    let session = link.session().await?;
    let Spec { config, host, mut networks } = spec(recipe)?;
    let image = image(link, recipe).await?.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("its image {} is gone", crate::text::printable(&recipe.image)))
    })?;
    let mut body: ContainerCreateBody = serde_json::from_value(config).map_err(|why| garbled(&why))?;
    body.image = Some(image);
    // Whose name is another's cannot have one of its own.
    let shares = host["NetworkMode"].as_str().is_some_and(|mode| mode.starts_with("container:"));
    if shares || host["UTSMode"] == "host" {
        body.hostname = None;
        body.domainname = None;
    }
    let settings = |value: Value| serde_json::from_value::<EndpointSettings>(value).unwrap_or_default();
    // Older engines take one network when a container is made; the others come afterwards.
    let mode = host["NetworkMode"].as_str().unwrap_or_default();
    let first =
        if networks.contains_key(mode) { Some(mode.to_owned()) } else { networks.keys().min().cloned() };
    let first = first.and_then(|name| networks.remove_entry(&name));
    body.host_config = Some(serde_json::from_value(host).map_err(|why| garbled(&why))?);
    body.networking_config = first.map(|(name, value)| NetworkingConfig {
        endpoints_config: Some(HashMap::from([(name, settings(value))])),
    });
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let call = session.client.create_container(Some(options), body);
    link.within("making the container", RUN_LIMIT, call).await?;
    for (network, value) in networks {
        let request = NetworkConnectRequest { container: name.into(), endpoint_config: Some(settings(value)) };
        let call = session.client.connect_network(&network, request);
        link.within("putting the container into its network", RUN_LIMIT, call).await?;
    }
    Ok(())
}

fn spec(recipe: &Recipe) -> Result<Spec> {
    serde_json::from_str(&recipe.spec).map_err(|why| garbled(&why))
}

fn garbled(why: &serde_json::Error) -> Error {
    Error::new(Kind::Failed, format!("what the engine says of the container makes no sense: {why}"))
}
