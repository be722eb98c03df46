//! `f`: a file by its name, wherever it is.

use std::sync::Arc;
use std::time::Duration;

use outlast::app::Ended;
use outlast::core::event::Event;
use outlast::engine::demo::Demo;
use outlast::model::Overlay;

use super::{OLD, clock, demo};
use crate::support::docker;
use crate::support::journey::{journey, press, resize, see, unsee};

#[test]
fn f_asks_for_a_part_of_the_name_and_lists_what_is_found() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("f"),
            see("find a file:"),
            press("MODEL"),
            see("find a file: MODEL"),
            press("<enter>"),
            see("Files named MODEL"),
            see("1 file"),
            see("› lost"),
            see("my-project._.alice:/tmp/model.pt"),
        ],
    );
}

#[test]
fn enter_explains_a_found_file_and_esc_goes_back_to_the_list_and_then_to_the_view() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("fmodel<enter>"),
            see(":/tmp/model.pt"),
            press("<enter>"),
            see("Lost if retired"),
            see("Platform: DS01"),
            press("<esc>"),
            see("Files named model"),
            press("<esc>"),
            unsee("Files named"),
            see("IF RETIRED"),
        ],
    );
    assert!(arrived.model.overlay.is_none() && arrived.model.editing.is_none());
}

#[test]
fn y_copies_the_command_for_the_found_file() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("fmodel<enter>"),
            see(":/tmp/model.pt"),
            press("y<esc>"),
            unsee("Files named"),
        ],
    );
    let steps =
        [see("my-project"), press("fmodel<enter>"), see(":/tmp/model.pt"), press("<enter>"), press("y")];
    let arrived = demo(OLD, &steps);
    let notice = arrived.model.notice.map(|notice| notice.text).unwrap_or_default();
    assert!(notice.starts_with("copied: docker exec my-project._.alice test ! -e"), "{notice}");
}

#[test]
fn what_could_not_be_read_is_said_and_another_name_is_asked_for_with_f() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("fno such file<enter>"),
            see("No file of that name was found in what could be read."),
            see("not read: "),
            press("f"),
            see("find a file:"),
            press("model<enter>"),
            see(":/tmp/model.pt"),
        ],
    );
}

#[test]
fn esc_while_the_name_is_typed_finds_nothing_and_leaves_the_filter_alone() {
    let arrived = demo(
        OLD,
        &[
            see("thesis"),
            press("/thes<enter>"),
            unsee("playground"),
            press("fmodel"),
            see("model"),
            press("<esc>"),
            see("w what if"),
        ],
    );
    assert_eq!(arrived.model.workspaces.filter, "thes");
    assert!(arrived.model.overlay.is_none());
}

#[test]
fn keys_stay_live_while_a_place_hangs() {
    let slow = Arc::new(Demo::new(clock()).delayed(Duration::from_millis(400)));
    let steps = [
        see("my-project"),
        see("2.1G"),
        press("fmodel<enter>"),
        see("Looking ..."),
        press("<esc>"),
        unsee("Files named"),
        press("w"),
        see("the host restarts"),
        press("<esc>q"),
    ];
    assert_eq!(journey(slow, clock(), OLD, &steps).ended, Ended::Quit);
}

#[test]
fn the_list_and_the_explanation_are_of_use_in_a_small_window() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("fmodel<enter>"),
            see(":/tmp/model.pt"),
            resize(40, 12),
            see("/model.pt"),
            see("Esc closes"),
            press("<enter>"),
            see("Lost if retired"),
            press(&"j".repeat(40)),
            see("if folder deleted"),
            press("k"),
        ],
    );
    let Some(Overlay::Explain(view)) = arrived.model.overlay else { panic!("no explanation") };
    assert!(view.events.len() == Event::ALL.len() && view.scroll < 40, "scrolled no further than its end");
}

#[test]
fn a_file_in_a_real_container_is_found_on_the_screen() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("screen-find").run();
    let rare = docker::unique("rare").replace("outlast-test-", "");
    container.exec(&format!("echo x > /tmp/{rare}; printf x > \"$(printf '/tmp/{rare}\\033[2Jb')\""));
    container.stop();
    let (engine, clock) = super::real::real();
    journey(
        engine,
        clock,
        (160, 40),
        &[
            see("AT RISK"),
            press(&format!("/{}<enter>", container.name)),
            see("exited"),
            press(&format!("f{rare}<enter>")),
            see("2 files"),
            see(&format!("{}:/tmp/{rare}", container.name)),
            see(r"\u{1b}[2Jb"),
        ],
    );
}
