//! The pictures of the documents, drawn from the demo with a clock that stands still.

use std::path::Path;

use outlast::core::event::Event;
use outlast::core::fate::Verdict;
use outlast::model::{Model, Overlay, Tab, cells};
use outlast::ui::Theme;

use crate::support::{model, screen, svg};

/// Compares with the committed picture; `OUTLAST_UPDATE=1` writes it instead.
fn compare(name: &str, model: &Model) {
    let drawn = svg::svg(&screen::buffer(model, &Theme::dark()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots").join(format!("{name}.svg"));
    if std::env::var_os("OUTLAST_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &drawn).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == drawn,
        "{} is not what the screen looks like now; look at it after: OUTLAST_UPDATE=1 cargo test --test all pictures",
        path.display()
    );
}

#[test]
fn the_picture_of_the_workspaces() {
    compare("workspaces", &model::demo(120, 30));
}

#[test]
fn the_picture_of_the_files_at_risk() {
    let mut model = model::demo(120, 24);
    model.tab = Tab::AtRisk;
    compare("at-risk", &model);
}

#[test]
fn the_picture_of_what_if() {
    let mut model = model::demo(120, 30);
    let row = model.detailed().unwrap();
    let worst: Vec<(Event, Option<Verdict>)> =
        Event::ALL.into_iter().map(|event| (event, cells::worst(row, event))).collect();
    model.overlay = Some(Overlay::WhatIf { subject: "my-project".into(), worst, cursor: 2 });
    compare("what-if", &model);
}

#[test]
fn the_picture_of_the_disk() {
    compare("disk", &model::after(120, 24, "3/my-project:/work<enter><enter>l"));
}

#[test]
fn the_picture_of_a_narrow_terminal() {
    compare("narrow", &model::demo(80, 24));
}
