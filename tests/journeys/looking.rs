//! Looking: nothing here changes anything.

use std::sync::Arc;
use std::time::Duration;

use outlast::app::Ended;
use outlast::core::event::Event;
use outlast::engine::demo::Demo;
use outlast::engine::machine::Machine;
use outlast::keys::{self, Group};
use outlast::platform::host;
use outlast::port::Clock;

use super::{OLD, WIDE, clock, demo};
use crate::support::journey::{journey, press, resize, see, unsee};

#[test]
fn the_first_screen_names_the_workspaces_and_what_each_would_lose() {
    demo(OLD, &[see("my-project"), see("2.1G"), see("not read"), see("if retired")]);
}

#[test]
fn q_leaves_from_every_view_and_from_everything_that_lies_on_top() {
    for keys in ["", "2", "<enter>", "?", "!", "w", "/x<enter>", "2<enter>"] {
        let steps = [see("my-project"), press(keys), press("q")];
        assert_eq!(demo(OLD, &steps).ended, Ended::Quit, "after {keys:?}");
    }
    assert_eq!(demo(OLD, &[see("my-project"), press("/abc<ctrl-c>")]).ended, Ended::Quit, "while typing");
}

#[test]
fn what_if_chooses_an_event_that_stands_in_the_header_until_esc() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("w"),
            see("the host restarts"),
            press("jj<enter>"),
            unsee("the host restarts"),
            see("IF REBOOTED"),
            press("<esc>"),
            see("IF RETIRED"),
        ],
    );
    assert_eq!(arrived.model.event, Event::Retire);
}

#[test]
fn under_a_stop_only_what_is_in_memory_counts() {
    demo(OLD, &[see("2.1G"), press("wk<enter>"), see("IF STOPPED"), unsee("2.1G")]);
}

#[test]
fn a_filter_narrows_the_list_while_typing_and_esc_takes_it_back() {
    demo(
        OLD,
        &[
            see("playground"),
            press("/thes"),
            unsee("playground"),
            see("thesis"),
            press("<esc>"),
            see("playground"),
            press("/exited<enter>"),
            unsee("playground"),
            see("thesis"),
            press("<esc>"),
            see("playground"),
        ],
    );
}

#[test]
fn the_selection_stays_on_its_workspace_when_the_order_changes() {
    let arrived = demo(OLD, &[see("my-project"), press("/my-pro<enter><esc>ssss"), see("OWNER")]);
    assert_eq!(arrived.model.selected().map(|row| row.workspace.name.as_str()), Some("my-project"));
}

#[test]
fn enter_opens_the_detail_and_esc_comes_back() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("/my-pro<enter><enter>"),
            see("IN CONTAINER"),
            see("the rest"),
            press("l"),
            see("/tmp/model.pt"),
            press("<esc>"),
            unsee("IN CONTAINER"),
        ],
    );
}

#[test]
fn enter_on_a_file_says_what_happens_why_and_the_one_command_to_do() {
    demo(
        WIDE,
        &[
            see("my-project"),
            press("2/model.pt<enter>"),
            see("/tmp/model.pt"),
            press("<enter>"),
            see("the writable layer is removed together with the container"),
            see("cp -an"),
            see("/workspace"),
        ],
    );
}

#[test]
fn files_at_risk_stand_in_one_list_with_the_most_valuable_first() {
    let arrived = demo(OLD, &[see("my-project"), see("2.1G"), press("2"), see("/tmp/model.pt")]);
    let model = &arrived.model;
    let values: Vec<_> =
        model.files.iter().filter_map(|file| file.find(&model.rows)).map(|(_, file)| file.value).collect();
    assert!(values.len() > 3 && values.is_sorted(), "{values:?}");
}

#[test]
fn the_copied_command_is_also_shown() {
    let arrived = demo(
        OLD,
        &[see("2.1G"), press("2/model.pt<enter>"), see("/tmp/model.pt"), press("y"), see("copied: ")],
    );
    assert!(
        arrived.screen.contains("docker exec") || arrived.screen.contains("docker cp"),
        "{}",
        arrived.screen
    );
}

#[test]
fn help_and_the_verbs_come_from_the_one_table() {
    let mut steps = vec![see("my-project"), press("?")];
    steps.extend(keys::TABLE.iter().filter(|b| b.group == Group::Change).map(|b| see(b.help)));
    steps.extend([press("<esc>"), press("!"), see("stop or start")]);
    demo(WIDE, &steps);
}

#[test]
fn all_verbs_are_read_to_their_end_in_a_small_window() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("!"),
            see("stop what runs"),
            press("G"),
            see("leave"),
            unsee("stop what runs"),
        ],
    );
}

#[test]
fn marked_workspaces_are_what_the_keys_are_about() {
    demo(OLD, &[see("my-project"), press("<space><space>w"), see("2 marked workspaces")]);
}

#[test]
fn the_detail_follows_the_selection_after_a_moment() {
    let arrived = demo(WIDE, &[see("my-project"), press("/thesis<enter>"), press("k"), see("failed (exit 1)")]);
    let detailed = arrived.model.detailed().map(|row| row.workspace.name.clone());
    assert_eq!(detailed.as_deref(), Some("thesis"));
}

#[test]
fn twenty_held_keys_cost_little_and_one_detail() {
    let engine = || Arc::new(Demo::empty(clock()).with_workspaces(60));
    let before = journey(engine(), clock(), WIDE, &[see("1 file"), see("AT RISK")]).bytes;
    let after =
        journey(engine(), clock(), WIDE, &[see("1 file"), press(&"j".repeat(20)), see("AT RISK")]).bytes;
    assert!(after.saturating_sub(before) < 20 * 280 + 3_000, "{} bytes for 20 keys", after - before);
}

#[test]
fn a_window_may_shrink_and_grow_under_the_hands() {
    let sizes = [(40, 12), (1, 1), (200, 60), (20, 4), (120, 40)];
    let mut steps = vec![see("my-project")];
    steps.extend(sizes.iter().map(|(columns, rows)| resize(*columns, *rows)));
    steps.push(see("my-project"));
    demo(OLD, &steps);
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let arrived = demo(WIDE, &[see("\\u{1b}[31m")]);
    assert!(!arrived.screen.contains(['\u{202e}', '\u{1b}']));
}

#[test]
fn a_slow_engine_does_not_hold_up_the_first_frame_or_the_keys() {
    let slow = Arc::new(Demo::docker_shaped(clock()).delayed(Duration::from_mins(1)));
    let arrived = journey(slow, clock(), OLD, &[see("onnecting"), press("?"), see("leave"), press("q")]);
    assert_eq!(arrived.ended, Ended::Quit);
}

#[test]
fn the_detail_follows_a_filter_and_its_end() {
    let shows = |what: &str, filter: &str| {
        let arrived = demo(WIDE, &[see("2.1G"), press(filter), see(what)]);
        arrived.model.detailed().map(|row| row.workspace.name.clone())
    };
    assert_eq!(shows("failed (exit 1)", "/thesis<enter>").as_deref(), Some("thesis"));
    assert_eq!(
        shows("playground._.alice", "/thesis<enter><esc>/playground<enter>").as_deref(),
        Some("playground")
    );
}

#[test]
fn r_held_down_ends_with_one_answer() {
    let arrived = demo(OLD, &[see("2.1G"), press(&"r".repeat(20)), see("2.1G"), unsee("reading")]);
    assert!(arrived.model.rows.iter().all(|row| row.risk.reading.is_none()));
}

#[test]
fn on_this_machine_alone_its_detail_comes_first() {
    let clock: Arc<dyn Clock> = clock();
    let machine = Machine::new(Arc::new(host::this_host()), Arc::clone(&clock), Vec::new());
    let arrived = journey(Arc::new(machine), clock, OLD, &[see("IN CONTAINER"), press("<esc>"), see("NAME")]);
    assert!(!arrived.model.open);
}

#[test]
fn a_read_only_mount_says_that_nothing_can_be_saved_there() {
    let says = "read-only: nothing can be saved here";
    demo(
        WIDE,
        &[
            see("my-project"),
            press("/my-pro<enter><enter>"),
            see(&format!("/data: {says}")),
            press("jj<enter>"),
            see("if host lost"),
            see(&format!("nfs4, {says}")),
        ],
    );
}

#[test]
fn w_changes_what_the_tree_says_all_at_once() {
    let arrived = demo(
        WIDE,
        &[
            see("my-project"),
            press("/my-pro<enter><enter>"),
            see("IF RETIRED"),
            press("wk<enter>"),
            see("IF STOPPED"),
            see("kept if in time"),
            press("<esc><esc><esc>"),
            see("IF RETIRED"),
        ],
    );
    assert!(!arrived.model.event_chosen());
}
