//! The page Lifecycle, and what ends soon in the list.

use outlast::app::{Cmd, Msg, State};
use outlast::core::event::Event;
use outlast::core::workspace::RunState;
use outlast::model::key::parse_keys;
use outlast::model::{Model, Page};
use outlast::ui::Theme;

use crate::support::{model, screen};

/// The demo after these keys on one workspace's page Lifecycle.
fn page(columns: u16, rows: u16, name: &str, keys: &str) -> (Model, Vec<Cmd>) {
    page_of(model::demo(columns, rows), name, keys)
}

fn page_of(model: Model, name: &str, keys: &str) -> (Model, Vec<Cmd>) {
    let mut state = State::new(model);
    let mut cmds = Vec::new();
    for key in parse_keys(&format!("/{name}<enter><enter>ll{keys}")) {
        cmds.extend(state.update(Msg::Key(key)));
    }
    assert_eq!(state.model.page, Page::Lifecycle);
    (state.model, cmds)
}

fn shot(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::dark()))
}

fn ascii(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::mono().ascii()))
}

#[test]
fn the_page_at_every_size() {
    insta::assert_snapshot!("lifecycle_crashed_80x24", shot(&page(80, 24, "thesis", "").0));
    insta::assert_snapshot!("lifecycle_crashed_120x40", {
        let buffer = screen::buffer(&page(120, 40, "thesis", "").0, &Theme::dark());
        format!("{}\n{}", screen::text(&buffer), screen::styles(&buffer))
    });
    insta::assert_snapshot!("lifecycle_crashed_40x12", shot(&page(40, 12, "thesis", "").0));
    insta::assert_snapshot!("lifecycle_crashed_40x12_end", shot(&page(40, 12, "thesis", "G").0));
    insta::assert_snapshot!("lifecycle_released_80x24_ascii", ascii(&page(80, 24, "llm", "").0));
    insta::assert_snapshot!("lifecycle_running_80x24", shot(&page(80, 24, "my-project", "").0));
    insta::assert_snapshot!("lifecycle_pod_80x24", shot(&page(80, 24, "vision", "").0));
    let (mut beside, _) = page(120, 40, "thesis", "");
    beside.open = false;
    insta::assert_snapshot!("lifecycle_beside_120x40", shot(&beside));
    insta::assert_snapshot!("lifecycle_explained_80x24", shot(&page(80, 24, "thesis", "j<enter>").0));
}

#[test]
fn the_chosen_event_is_told_by_its_capitals_where_there_is_no_colour() {
    let (mut model, _) = page(80, 24, "thesis", "");
    assert!(ascii(&model).contains("RETIRE"));
    model.event = Event::Reboot;
    let drawn = ascii(&model);
    assert!(drawn.contains("REBOOT") && drawn.contains("retire"), "{drawn}");
}

#[test]
fn y_copies_the_command_of_the_selected_step_else_the_first() {
    let copied = |keys: &str| match page(80, 24, "thesis", keys).1.pop() {
        Some(Cmd::Copy(command)) => command,
        other => panic!("{other:?}"),
    };
    assert_eq!(copied("y"), "docker start thesis._.alice");
    assert_eq!(copied("Gy"), "docker logs --tail 50 thesis._.alice");
}

#[test]
fn time_goes_on_by_the_minute_and_past_the_hold_a_stop_loses_the_container() {
    let (model, _) = page(80, 24, "thesis", "");
    assert!(shot(&model).contains("18 min left"), "{}", shot(&model));
    let mut state = State::new(model);
    let later = model::now().checked_add(jiff::SignedDuration::from_mins(10)).unwrap();
    state.update(Msg::Now(later));
    assert!(shot(&state.model).contains("8 min left"), "{}", shot(&state.model));
    let later = model::now().checked_add(jiff::SignedDuration::from_mins(20)).unwrap();
    state.update(Msg::Now(later));
    let drawn = shot(&state.model);
    let container = drawn.lines().find(|line| line.trim_start().starts_with("container")).unwrap();
    assert!(drawn.contains("due now") && !container.contains("if"), "{drawn}");
}

#[test]
fn s_puts_first_what_ends_first() {
    let mut state = State::new(model::demo(160, 40));
    for key in parse_keys("sssss") {
        state.update(Msg::Key(key));
    }
    let names: Vec<&str> = state
        .model
        .workspaces
        .shown
        .iter()
        .map(|&index| state.model.rows[index].workspace.name.as_str())
        .take(4)
        .collect();
    assert_eq!(names, ["notebook-dana", "llm-finetune", "thesis", "new-idea"]);
    let wide = shot(&{
        let mut model = state.model.clone();
        model.size = (200, 40);
        model
    });
    assert!(wide.contains("exited 12m!, removed in 18m"), "{wide}");
}

#[test]
fn what_takes_a_while_is_measured_once_and_only_for_who_looks() {
    let (model, cmds) = page(80, 24, "thesis", "");
    let measured = cmds.iter().filter(|cmd| matches!(cmd, Cmd::Surroundings(_))).count();
    assert_eq!(measured, 1, "{cmds:?}");
    let mut state = State::new(model);
    let again: Vec<Cmd> = parse_keys("hl").into_iter().flat_map(|key| state.update(Msg::Key(key))).collect();
    assert!(!again.iter().any(|cmd| matches!(cmd, Cmd::Surroundings(_))), "{again:?}");
}

#[test]
fn a_retired_folder_has_a_page_too() {
    let mut model = model::demo(80, 24);
    let at = model.rows.iter().position(|row| row.workspace.name == "playground").unwrap();
    let row = &mut model.rows[at];
    row.workspace.state = RunState::Retired;
    row.workspace.container = None;
    row.detail = outlast::model::Fact::Waiting;
    insta::assert_snapshot!("lifecycle_retired_80x24", shot(&page_of(model, "playground", "").0));
}
