//! No size and no state of the model breaks the screen.

use outlast::core::error::{Error, Kind};
use outlast::core::event::Event;
use outlast::core::fate::Verdict;
use outlast::core::plan::Plan;
use outlast::engine::demo::Demo;
use outlast::model::{
    Confirm, Editing, Fact, FindView, FoundRow, HelpPage, LinkState, Model, Notice, Overlay, Page, PlanState,
    PlanView, PreviewView, Tab, Tour,
};
use outlast::ui::{self, Theme};
use proptest::prelude::*;
use ratatui::backend::{Backend as _, CrosstermBackend};

use crate::support::{model, screen};

fn overlays() -> Vec<Option<Overlay>> {
    let plan = Plan {
        notes: Vec::new(),
        asks_for: None,
        facts: Vec::new(),
        id: "p".into(),
        endpoint: "demo".into(),
        made_at: model::now(),
        preconditions: Vec::new(),
        steps: Vec::new(),
    };
    let view = |confirm| {
        let lines = vec!["stop my-project".into(), "  loses 3 files".into()];
        Some(Overlay::Plan(Box::new(PlanView {
            plan: plan.clone(),
            more: Vec::new(),
            lines,
            confirm,
            state: PlanState::Asking,
        })))
    };
    vec![
        None,
        model::help(HelpPage::Keys, 7),
        model::help(HelpPage::WhatLasts, 0),
        model::help(HelpPage::Words, 99),
        model::help(HelpPage::Examples, 1),
        model::help(HelpPage::Contacts, 0),
        model::habits(3),
        Some(Overlay::Verbs(vec![(outlast::keys::Action::StopOrStart, Some("the engine is away".into()))], 3)),
        Some(Overlay::WhatIf {
            subject: "日本語".into(),
            worst: Event::ALL.map(|event| (event, None)).into(),
            cursor: 99,
        }),
        Some(Overlay::Find(Box::new(found()))),
        Some(Overlay::Preview(Box::new(PreviewView {
            name: "/日本/\u{1b}[2J".into(),
            preview: outlast::core::preview::preview("a.ipynb".as_ref(), "日本\u{1b}[2J\n".as_bytes(), 99),
            command: None,
            scroll: 99,
        }))),
        view(Confirm::Yes),
        view(Confirm::Name { name: "日本語".into(), typed: "日".into() }),
    ]
}

fn found() -> FindView {
    let row = |place: &str, hidden| FoundRow {
        place: place.into(),
        verdict: Verdict::Lost,
        bytes: None,
        modified: Some(model::now()),
        hidden,
    };
    FindView {
        part: "日本語".into(),
        rows: vec![row("p:/tmp/\u{1b}[2J日本", false), row(&"/long".repeat(99), true)],
        cursor: 1,
        looking: true,
        missing: vec!["p: timed out\u{7}".into(); 5],
        more: 3,
    }
}

fn lost() -> LinkState {
    let error = Error::new(Kind::Unreachable, "no answer").hint("systemctl start docker");
    LinkState::Lost { error, since: model::now() }
}

fn bend(model: &mut Model, seed: u32, place: usize) {
    let bit = |bit: u32| seed & (1 << bit) != 0;
    model.tab = if bit(0) { Tab::AtRisk } else { Tab::Workspaces };
    if bit(14) {
        super::backups::odd(model, bit(15));
    }
    model.page = if bit(1) { Page::Files } else { Page::Paths };
    model.open = bit(2);
    if bit(12) {
        model.page = Page::Browse;
        model.browse = model.detail.clone().map(|key| super::browse::odd_folder(key, bit(13)));
        model.detail_list.shown = (0..3).collect();
    }
    model.hint = bit(3).then(|| "to reach an engine: DOCKER_HOST".into());
    model.editing =
        bit(4).then(|| Editing { text: "日本 thesis".into(), cursor: place, find: bit(5), prompt: None });
    model.notice = bit(5).then(|| Notice::bad("it went\u{1b} wrong"));
    if bit(6) {
        model.endpoint.state = lost();
    }
    if bit(7) {
        model.workspaces.filter = "nothing".into();
        model.workspaces.shown.clear();
        model.at_risk.shown.clear();
    }
    if bit(8) {
        model.rows.iter_mut().for_each(|row| row.detail = Fact::Waiting);
    }
    if bit(9) {
        model.rows.clear();
        model.files.clear();
        model.workspaces.shown.clear();
        model.at_risk.shown.clear();
    }
    model.tour = bit(11).then(Tour::default);
    model.event = Event::ALL[place % 7];
    for list in [&mut model.workspaces, &mut model.at_risk, &mut model.detail_list] {
        list.selected = place;
        list.offset = place / 2;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_model_is_drawn_at_any_size(
        columns in prop_oneof![1u16..50, 50u16..260],
        rows in prop_oneof![1u16..14, 14u16..70],
        seed in any::<u32>(),
        place in 0usize..40,
        overlay in 0usize..13,
    ) {
        let mut model = model::demo(columns, rows);
        bend(&mut model, seed, place);
        model.overlay = overlays().swap_remove(overlay);
        let theme = if seed & 1024 == 0 { Theme::dark() } else { Theme::mono().ascii() };
        let drawn = screen::buffer(&model, &theme);
        if !theme.unicode {
            prop_assert!(screen::text(&drawn).is_ascii(), "{}", screen::text(&drawn));
        }
        prop_assert!(!screen::text(&drawn).chars().any(|c| c.is_control() && c != '\n'));
        let visible = ui::page_height(&model);
        prop_assert!(visible <= usize::from(rows));
    }
}

#[test]
fn more_than_33_workspaces_are_visible_at_120_by_40() {
    assert!(ui::page_height(&model::demo(120, 40)) >= 34);
}

#[test]
fn moving_the_selection_changes_the_pointer_and_the_name_of_two_rows_and_nothing_else() {
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        let before = screen::buffer(&model, &Theme::dark());
        model.workspaces.step(1);
        let after = screen::buffer(&model, &Theme::dark());
        let changed = before.diff(&after);
        let lines: std::collections::BTreeSet<u16> = changed.iter().map(|(_, y, _)| *y).collect();
        assert_eq!(lines.len(), 2, "two rows change");
        assert!(changed.len() <= 2 * 14, "{} cells change at {columns}x{rows}", changed.len());
    }
}

#[test]
fn the_same_words_stand_on_the_screen_with_and_without_colour() {
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        let model = model::demo(columns, rows);
        let text = |theme: Theme| screen::text(&screen::buffer(&model, &theme));
        assert_eq!(text(Theme::dark()), text(Theme::mono()));
        assert_eq!(text(Theme::dark()), text(Theme::light()));
    }
}

/// Bytes that a terminal is sent to turn one screen into another.
fn bytes(before: &Model, after: &Model) -> usize {
    let (before, after) = (screen::buffer(before, &Theme::dark()), screen::buffer(after, &Theme::dark()));
    let mut sent = Vec::new();
    CrosstermBackend::new(&mut sent).draw(before.diff(&after).into_iter()).unwrap();
    sent.len()
}

#[test]
fn a_key_press_is_cheap_and_the_detail_that_follows_too() {
    let demo = Demo::docker_shaped(model::clock()).with_workspaces(50);
    let mut before = model::of(&demo, 120, 40);
    for _ in 0..30 {
        let mut moved = before.clone();
        moved.workspaces.step(1);
        let key = bytes(&before, &moved);
        assert!(key <= 240, "{key} bytes for one row");
        let mut followed = moved.clone();
        followed.detail = followed.selected().map(|row| row.workspace.key.clone());
        let detail = bytes(&moved, &followed);
        assert!(detail <= 1536, "{detail} bytes for the detail");
        before = followed;
    }
}
