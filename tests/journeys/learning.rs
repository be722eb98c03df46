//! Learning: help, habits, the command of every action, the guided tour.

use std::sync::Arc;

use outlast::app::{Msg, State};
use outlast::engine::demo::Demo;
use outlast::model::key::{Key, parse_keys};
use outlast::model::{Model, Overlay};

use super::{OLD, WIDE, clock, demo};
use crate::support::journey::{Arrived, Step, journey, journey_on_tour, press, see, unsee};
use crate::support::model;

fn both(size: (u16, u16), steps: &[Step]) -> Arrived {
    journey(Arc::new(Demo::both(clock())), clock(), size, steps)
}

/// Presses keys one after the other on a model, without an engine.
fn pressed(model: Model, keys: &str) -> Model {
    let mut state = State::new(model);
    for key in parse_keys(keys) {
        state.update(Msg::Key(key));
    }
    state.model
}

fn notice(model: &Model) -> String {
    model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
}

#[test]
fn help_has_a_page_for_each_thing_to_learn_with_the_paths_of_the_selected_workspace() {
    demo(
        OLD,
        &[
            see("my-project"),
            see("2.1G"),
            press("/my-project<enter>?"),
            see("Changing, always through a plan"),
            press("<tab>"),
            see("Everything in /workspace (inside the container) is safe"),
            see("kept if backed up"),
            press("l"),
            see("here: container-retire"),
            see("writable layer"),
            press("<tab>"),
            see("'/workspace/models/model.pt'"),
            press("<tab>"),
            see("the administrators of this server"),
            press("h"),
            see("Bad: saved where it is lost"),
            press("<esc>"),
            unsee("Bad: saved where it is lost"),
        ],
    );
}

#[test]
fn the_rule_is_that_of_the_platform_of_the_selected_workspace() {
    let learns = |name: &str, says: &[&str]| {
        let mut steps = vec![see("my-project"), see("438M"), press(&format!("/{name}<enter>?<tab>"))];
        steps.extend(says.iter().map(|text| see(text)));
        both(WIDE, &steps);
    };
    learns("bert", &["Files in mounted storage folders are kept", "/home/work/corpus"]);
    learns("notebook", &["Only /home/vessl is kept", "VESSL"]);
    learns("caddy", &["What is in a mounted folder is kept", "Docker"]);
}

#[test]
fn a_long_page_is_scrolled_to_its_end_and_back_at_once() {
    let scroll = |model: &Model| match &model.overlay {
        Some(Overlay::Help(view)) => view.scroll,
        _ => panic!("help is closed"),
    };
    let end = pressed(model::demo(40, 12), "?<tab><tab>G");
    assert!(scroll(&end) > 20);
    let model = pressed(end.clone(), "");
    assert_eq!(scroll(&model), scroll(&end));
    let mut state = State::new(end.clone());
    state.update(Msg::Key(Key::parse("j").unwrap()));
    assert_eq!(scroll(&state.model), scroll(&end), "there is no more");
    state.update(Msg::Key(Key::parse("k").unwrap()));
    assert_eq!(scroll(&state.model), scroll(&end) - 1, "and back at once");
}

#[test]
fn habits_open_at_once_and_what_cannot_be_known_is_not_ticked() {
    let arrived = demo(
        OLD,
        &[
            see("2.1G"),
            press("/my-project<enter>b"),
            see("Habits: my-project"),
            see("Save everything to /workspace"),
            see("2 files (2.1G) in a place that does not last"),
            press("j"),
            see("its folder is not on"),
            press("y"),
            see("copied: git status"),
            press("k"),
            press("y"),
            see("copied: outlast --engine demo habits my-project._.alice"),
            press("b"),
            unsee("Habits: my-project"),
        ],
    );
    assert!(arrived.model.overlay.is_none());
}

#[test]
fn every_action_has_a_command_that_can_be_copied() {
    let rows = [
        ("my-project", "y", "copied: outlast --engine demo stop my-project._.alice"),
        ("thesis", "y", "copied: outlast --engine demo start thesis._.alice"),
        ("vision", "y", "copied: outlast --engine demo stop vision-train-0/main"),
        ("my-project", "<enter>y", "copied: outlast --engine demo explain my-project._.alice:/"),
        ("my-project", "<enter>Gy", "copied: outlast --engine demo explain my-project._.alice:/"),
        ("my-project", "<enter>ly", "copied: docker exec my-project._.alice test ! -e /workspace/model.pt"),
        (
            "my-project",
            "<enter>l<enter>y",
            "copied: docker exec my-project._.alice test ! -e /workspace/model.pt",
        ),
        ("my-project", "wy", "copied: outlast --engine demo risk my-project._.alice --event retire"),
        ("my-project", "wky", "copied: outlast --engine demo risk my-project._.alice --event stop"),
        ("my-project", "?y", "copied: outlast --engine demo guide my-project._.alice"),
        ("my-project", "by", "copied: "),
    ];
    for (name, keys, says) in rows {
        both(WIDE, &[see("438M"), see("2.1G"), press(&format!("/{name}<enter>{keys}")), see(says)]);
    }
    both(WIDE, &[see("438M"), press("2"), see("/tmp/model.pt"), press("y"), see("copied: docker exec")]);
}

#[test]
fn who_helps_is_named_where_only_an_administrator_can() {
    let mut model = model::demo(80, 24);
    for row in &mut model.rows {
        row.workspace.protected = true;
    }
    let refused = notice(&pressed(model, "S"));
    assert!(refused.contains("protects it") && refused.contains("who helps: the administrators"), "{refused}");
    let fine = notice(&pressed(model::demo(80, 24), "s"));
    assert!(!fine.contains("who helps"), "{fine}");
}

#[test]
fn the_tour_goes_on_with_what_the_person_does_and_ends_for_good_at_esc() {
    let arrived = journey_on_tour(
        Arc::new(Demo::both(clock())),
        clock(),
        OLD,
        &[
            see("438M"),
            see("Tour 1/6"),
            press("j"),
            see("Tour 2/6"),
            press("<enter>"),
            see("Tour 3/6"),
            see("IN CONTAINER"),
            press("w"),
            see("j and k choose what happens"),
            press("<enter>"),
            see("Tour 4/6"),
            press("2"),
            see("Tour 5/6"),
            see("/tmp/model.pt"),
            press("<enter>"),
            see("Tour 6/6"),
            see("cp -an"),
            press("<esc>?"),
            see("these are the keys"),
            press("<tab>"),
            see("that was all"),
            see("IN CONTAINER"),
            press("<esc>"),
            see("Esc ends the tour"),
            press("<esc>"),
            unsee("Tour"),
            press("1jw<esc>?"),
            see("Changing, always through a plan"),
        ],
    );
    assert!(arrived.model.tour.is_none());
    assert!(!arrived.screen.contains("Tour"));
}

#[test]
fn the_tour_lets_people_go_their_own_way_and_esc_first_goes_back() {
    let mut start = model::demo(80, 24);
    start.tour = Some(outlast::model::Tour::default());
    let lesson = |model: &Model| model.tour.as_ref().and_then(outlast::model::Tour::lesson);
    let ahead = pressed(start.clone(), "2<enter><esc>1");
    assert_eq!(lesson(&ahead), Some(outlast::model::Lesson::List));
    let caught_up = pressed(ahead, "j<enter>w<enter>");
    assert_eq!(lesson(&caught_up), Some(outlast::model::Lesson::Rule), "what was done ahead is not asked for");
    let opened = pressed(start.clone(), "<enter><esc>");
    assert!(opened.tour.is_some() && !opened.open, "Esc went back");
    assert!(pressed(opened, "<esc>").tour.is_none());
    assert!(pressed(start, "<esc>").tour.is_none());
}

#[test]
fn no_tour_is_shown_outside_the_demo() {
    let arrived = demo(OLD, &[see("my-project"), press("j<enter>"), see("IN CONTAINER")]);
    assert!(!arrived.screen.contains("Tour"));
}
