//! Screens that somebody looked at: text, and where it matters the styles.

use std::sync::Arc;

use outlast::core::classify::Origin;
use outlast::core::error::{Error, Kind};
use outlast::core::event::Event;
use outlast::core::fate::Verdict;
use outlast::core::finding::Tally;
use outlast::core::plan::Plan;
use outlast::core::workspace::RunState;
use outlast::keys::Action;
use outlast::model::{
    Confirm, Editing, ExplainView, Fact, FindView, FoundRow, HelpPage, Lesson, LinkState, Model, Notice,
    Overlay, Page, PlanState, PlanView, Tab, Tour, cells,
};
use outlast::ui::Theme;

use crate::support::{model, screen};

fn shot(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::dark()))
}

fn ascii(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::mono().ascii()))
}

fn styled(model: &Model, theme: &Theme) -> String {
    let buffer = screen::buffer(model, theme);
    format!("{}\n{}", screen::text(&buffer), screen::styles(&buffer))
}

#[test]
fn workspaces_at_every_size() {
    insta::assert_snapshot!("workspaces_160x40", shot(&model::demo(160, 40)));
    insta::assert_snapshot!("workspaces_120x40_dark", styled(&model::demo(120, 40), &Theme::dark()));
    insta::assert_snapshot!("workspaces_120x40_light", styled(&model::demo(120, 40), &Theme::light()));
    insta::assert_snapshot!("workspaces_120x40_no_colour", styled(&model::demo(120, 40), &Theme::mono()));
    insta::assert_snapshot!("workspaces_120x40_ascii", ascii(&model::demo(120, 40)));
    insta::assert_snapshot!("workspaces_80x24", styled(&model::demo(80, 24), &Theme::dark()));
    insta::assert_snapshot!("workspaces_80x24_ascii", ascii(&model::demo(80, 24)));
    insta::assert_snapshot!("workspaces_40x12", styled(&model::demo(40, 12), &Theme::dark()));
    insta::assert_snapshot!("workspaces_40x12_ascii", ascii(&model::demo(40, 12)));
}

#[test]
fn files_at_risk_at_every_size() {
    let at = |columns, rows| {
        let mut model = model::demo(columns, rows);
        model.tab = Tab::AtRisk;
        model
    };
    insta::assert_snapshot!("at_risk_120x40", styled(&at(120, 40), &Theme::dark()));
    insta::assert_snapshot!("at_risk_80x24", shot(&at(80, 24)));
    insta::assert_snapshot!("at_risk_80x24_ascii", ascii(&at(80, 24)));
    insta::assert_snapshot!("at_risk_40x12", shot(&at(40, 12)));
    let mut filtered = at(80, 24);
    filtered.at_risk.filter = "ckpt".into();
    filtered.at_risk.shown.truncate(1);
    insta::assert_snapshot!("at_risk_filtered", shot(&filtered));
    filtered.at_risk.shown.clear();
    insta::assert_snapshot!("at_risk_no_match", shot(&filtered));
    let mut none = model::live(80, 24);
    none.tab = Tab::AtRisk;
    insta::assert_snapshot!("at_risk_none", shot(&none));
}

#[test]
fn an_open_detail_fills_the_screen_and_shows_what_is_selected() {
    let open = |columns, rows, page, name: &str| {
        let mut model = model::demo(columns, rows);
        let row = model.rows.iter().find(|row| row.workspace.name.starts_with(name)).unwrap();
        model.detail = Some(row.workspace.key.clone());
        model.open = true;
        model.page = page;
        model
    };
    insta::assert_snapshot!("detail_paths_120x40", shot(&open(120, 40, Page::Paths, "llm")));
    insta::assert_snapshot!("detail_paths_80x24", shot(&open(80, 24, Page::Paths, "thesis")));
    insta::assert_snapshot!("detail_paths_40x12", shot(&open(40, 12, Page::Paths, "thesis")));
    insta::assert_snapshot!("detail_files_80x24", shot(&open(80, 24, Page::Files, "annotator")));
    insta::assert_snapshot!("detail_pod_120x40", shot(&open(120, 40, Page::Paths, "vision")));
    insta::assert_snapshot!("detail_hostile_80x24", shot(&open(80, 24, Page::Files, "web")));
    insta::assert_snapshot!("detail_not_read_80x24", shot(&open(80, 24, Page::Paths, "scratch")));
    let mut reboot = open(80, 24, Page::Paths, "annotator");
    reboot.event = Event::Reboot;
    insta::assert_snapshot!("detail_if_rebooted_80x24", shot(&reboot));
}

#[test]
fn before_and_without_an_engine_the_screen_says_what_is_going_on() {
    insta::assert_snapshot!("connecting_80x24", shot(&model::connecting(80, 24)));
    insta::assert_snapshot!("connecting_40x12", shot(&model::connecting(40, 12)));
    insta::assert_snapshot!("empty_120x40", shot(&model::live(120, 40)));
    insta::assert_snapshot!("empty_80x24", shot(&model::live(80, 24)));
    let error = Error::new(
        Kind::NotPermitted,
        "permission denied on /var/run/docker.sock, which belongs to group docker",
    )
    .hint("sudo usermod -aG docker alice")
    .hint("newgrp docker");
    let mut lost = model::live(80, 24);
    lost.endpoint.state = LinkState::Lost { error: error.clone(), since: model::now() };
    insta::assert_snapshot!("lost_80x24", shot(&lost));
    let mut went = model::demo(120, 20);
    went.endpoint.state = LinkState::Lost { error, since: model::now() };
    went.hint = Some("no engine here: set DOCKER_HOST, or run outlast on the host".into());
    insta::assert_snapshot!("went_away_120x20", styled(&went, &Theme::dark()));
}

#[test]
fn what_is_not_known_is_said_and_never_shown_as_nothing() {
    let mut model = model::demo(80, 24);
    model.rows[0].detail = Fact::Waiting;
    model.rows[0].risk = outlast::model::RiskState::default();
    model.rows[1].risk.known = None;
    model.rows[1].risk.reading = Some(Tally { files: 12, bytes: 3 << 20 });
    model.rows[2].risk.known = None;
    model.rows[2].risk.reading = Some(Tally::default());
    model.rows[2].marked = true;
    insta::assert_snapshot!("reading_80x24", shot(&model));
    model.open = true;
    insta::assert_snapshot!("waiting_detail_80x24", shot(&model));
    model.rows[0].detail = Fact::Failed(Error::new(Kind::NotFound, "it vanished").hint("r reads again"));
    insta::assert_snapshot!("failed_detail_80x24", shot(&model));
}

#[test]
fn the_lines_at_the_edges() {
    let mut model = model::demo(80, 12);
    model.editing = Some(Editing { text: "thesis".into(), cursor: 3, find: false, prompt: None });
    insta::assert_snapshot!("editing_80x12", styled(&model, &Theme::dark()));
    model.editing = None;
    model.notice = Some(Notice::good("Stopped my-project."));
    insta::assert_snapshot!("notice_80x12", shot(&model));
    model.notice = None;
    model.event = Event::Crash;
    model.workspaces.filter = "py".into();
    model.workspaces.shown = vec![0, 2, 6];
    insta::assert_snapshot!("event_and_filter_80x12", shot(&model));
    model.workspaces.shown.clear();
    insta::assert_snapshot!("no_match_80x12", shot(&model));
}

fn what_if(columns: u16, rows: u16) -> Model {
    let mut model = model::demo(columns, rows);
    let row = &model.rows[4];
    let worst = Event::ALL.map(|event| (event, cells::worst(row, event))).into();
    model.overlay = Some(Overlay::WhatIf { subject: "llm-finetune".into(), worst, cursor: 2 });
    model
}

#[test]
fn overlays() {
    let with = |columns, rows, overlay| {
        let mut model = model::demo(columns, rows);
        model.overlay = Some(overlay);
        model
    };
    let help = |scroll| model::help(HelpPage::Keys, scroll).unwrap();
    insta::assert_snapshot!("help_120x40", shot(&with(120, 40, help(0))));
    insta::assert_snapshot!("help_80x24_scrolled", shot(&with(80, 24, help(9))));
    let verbs = || {
        let why = "the engine is not answering".to_string();
        let verbs = vec![
            (Action::StopOrStart, Some(why)),
            (Action::WhatIf, None),
            (Action::Refresh, None),
            (Action::Copy, None),
        ];
        Overlay::Verbs(verbs, 0)
    };
    insta::assert_snapshot!("verbs_80x24", shot(&with(80, 24, verbs())));
    insta::assert_snapshot!("what_if_120x40", styled(&what_if(120, 40), &Theme::dark()));
    insta::assert_snapshot!("what_if_80x24_ascii", ascii(&what_if(80, 24)));
    insta::assert_snapshot!("what_if_40x12", shot(&what_if(40, 12)));
    insta::assert_snapshot!("explain_80x24", shot(&with(80, 24, explain())));
    insta::assert_snapshot!("explain_120x40", shot(&with(120, 40, explain())));
    insta::assert_snapshot!("explain_40x12", shot(&with(40, 12, explain())));
    insta::assert_snapshot!("find_80x24", shot(&with(80, 24, found())));
    insta::assert_snapshot!("find_40x12", shot(&with(40, 12, found())));
    insta::assert_snapshot!("plan_yes_80x24", shot(&with(80, 24, plan(Confirm::Yes, PlanState::Asking))));
    let typed = Confirm::Name { name: "llm-finetune".into(), typed: "llm-f".into() };
    insta::assert_snapshot!(
        "plan_name_80x24",
        styled(&with(80, 24, plan(typed.clone(), PlanState::Asking)), &Theme::mono())
    );
    insta::assert_snapshot!("plan_name_40x12", shot(&with(40, 12, plan(typed, PlanState::Asking))));
    insta::assert_snapshot!("plan_running_80x24", shot(&with(80, 24, plan(Confirm::Yes, PlanState::Running))));
}

#[test]
fn the_pages_that_teach_at_every_size() {
    let pages = [
        (HelpPage::WhatLasts, "what_lasts"),
        (HelpPage::Words, "words"),
        (HelpPage::Examples, "examples"),
        (HelpPage::Contacts, "contacts"),
    ];
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        for (page, name) in pages {
            model.overlay = model::help(page, 0);
            insta::assert_snapshot!(format!("help_{name}_{columns}x{rows}"), shot(&model));
        }
        model.overlay = model::habits(1);
        insta::assert_snapshot!(format!("habits_{columns}x{rows}"), shot(&model));
    }
    let mut model = model::demo(80, 24);
    model.overlay = model::help_on("bert-session", HelpPage::WhatLasts, 0);
    insta::assert_snapshot!("help_what_lasts_of_a_session_80x24", shot(&model));
    model.overlay = model::help_on("notebook-dana", HelpPage::Examples, 0);
    insta::assert_snapshot!("help_examples_of_a_pod_80x24_ascii", ascii(&model));
}

#[test]
fn the_tour_stands_above_the_keys_and_covers_nothing_it_speaks_of() {
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        model.tour = Some(Tour::default());
        insta::assert_snapshot!(format!("tour_{columns}x{rows}"), shot(&model));
    }
    let mut model = what_if(80, 24);
    let mut tour = Tour::default();
    tour.learn(Lesson::List);
    tour.learn(Lesson::Open);
    model.tour = Some(tour);
    insta::assert_snapshot!("tour_choosing_80x24", shot(&model));
}

#[test]
fn a_message_says_what_to_do_however_narrow_the_screen_is() {
    let hint = "alice may not use the socket /var/run/docker.sock: that takes the group docker; \
                sudo usermod -aG docker alice; then log in again";
    let notice = "config.toml line 3: unknown field `colour`, expected one of `color`, `event`, `folders`, \
                  `profile`; the defaults are used";
    for (columns, rows) in [(80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        model.hint = Some(hint.into());
        insta::assert_snapshot!(format!("hint_{columns}x{rows}"), shot(&model));
        model.hint = None;
        model.notice = Some(Notice::bad(notice));
        insta::assert_snapshot!(format!("config_error_{columns}x{rows}"), shot(&model));
    }
}

#[test]
fn long_names_of_one_prefix_are_told_apart() {
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        for (number, row) in model.rows.iter_mut().enumerate() {
            row.workspace.name = format!("outlast-test-training-31337-{number}");
        }
        model.rows[0].workspace.owner.name = Some("owner".repeat(800));
        insta::assert_snapshot!(format!("one_prefix_{columns}x{rows}"), shot(&model));
    }
}

#[test]
fn of_many_mounts_the_one_that_holds_everything_else_stays_in_sight() {
    let many = |columns, rows, open| {
        let mut model = model::demo(columns, rows);
        let key = model.detail.clone().unwrap();
        let row = model.row_mut(&key).unwrap();
        let mut detail = (**row.detail.known().unwrap()).clone();
        let bind = detail.mounts.iter().find(|mount| mount.target.ends_with("workspace")).unwrap().clone();
        for number in 0..25 {
            let mut mount = bind.clone();
            mount.target = format!("/data/{number}").into();
            detail.mounts.push(mount);
        }
        row.detail = Fact::Known(Arc::new(detail));
        row.risk.not_read = Some("the engine gave no answer within 10 s".into());
        model.open = open;
        model.detail_list.selected = 9;
        model.detail_list.offset = 7;
        model
    };
    insta::assert_snapshot!("many_mounts_120x40", shot(&many(120, 40, false)));
    insta::assert_snapshot!("many_mounts_80x24", shot(&many(80, 24, true)));
    insta::assert_snapshot!("many_mounts_40x12", shot(&many(40, 12, true)));
}

#[test]
fn a_retired_folder_and_this_machine_say_what_they_are() {
    let mut model = model::demo(80, 24);
    let key = model.detail.clone().unwrap();
    let row = model.row_mut(&key).unwrap();
    row.workspace.state = RunState::Retired;
    row.detail = Fact::Waiting;
    row.risk = outlast::model::RiskState::default();
    insta::assert_snapshot!("retired_list_80x24", shot(&model));
    model.open = true;
    insta::assert_snapshot!("retired_detail_80x24", shot(&model));
    let mut machine = model::demo(80, 12);
    machine.endpoint.endpoint.id = "machine".into();
    machine.endpoint.endpoint.title = "this machine".into();
    machine.endpoint.capabilities = outlast::port::Capabilities::default();
    insta::assert_snapshot!("machine_80x12", shot(&machine));
    let mut nothing = model::live(80, 24);
    let worst = Event::ALL.map(|event| (event, None)).into();
    nothing.overlay = Some(Overlay::WhatIf { subject: "nothing is selected".into(), worst, cursor: 2 });
    insta::assert_snapshot!("what_if_nothing_80x24", shot(&nothing));
}

fn explain() -> Overlay {
    let model = model::demo(80, 24);
    let row = &model.rows[0];
    let classifier = row.classifier().unwrap();
    let explanation = classifier.explain("/tmp/model.pt".as_ref(), Origin::Layer);
    let events = Event::ALL
        .map(|event| {
            let answer = explanation.fates.of(event);
            (event, answer.verdict(), answer.reason.to_string(), answer.basis)
        })
        .into();
    Overlay::Explain(Box::new(ExplainView {
        path: "/tmp/model.pt".into(),
        workspace: "my-project".into(),
        storage: explanation.storage.label(),
        facts: "2.1G model checkpoint, 4m ago".into(),
        events,
        advice: explanation.fates.of(Event::Retire).advice.to_string(),
        command: Some(
            "docker exec my-project._.alice test ! -e /workspace/model.pt && docker exec my-project._.alice cp -an -- /tmp/model.pt /workspace/"
                .into(),
        ),
        says: Some("outlast explain my-project:/tmp/model.pt".into()),
        violation: None,
        condition: None,
        also: Vec::new(),
        rule: None,
        platform: "DS01 (label ds01.user)".into(),
        scroll: 0,
    }))
}

fn found() -> Overlay {
    let row = |place: &str, verdict, hidden| FoundRow {
        place: place.into(),
        verdict,
        bytes: Some(2 << 30),
        modified: Some(model::now()),
        hidden,
    };
    Overlay::Find(Box::new(FindView {
        part: "model".into(),
        rows: vec![
            row("my-project._.alice:/tmp/model.pt", Verdict::Lost, false),
            row("/home/alice/workspace/my-project/results/model.pt", Verdict::Kept, false),
            row("thesis._.alice:/root/.cache/model.bin", Verdict::Lost, true),
        ],
        cursor: 1,
        looking: true,
        missing: vec!["annotator._.bob: /root/.config: permission denied".into()],
        more: 0,
    }))
}

fn plan(confirm: Confirm, state: PlanState) -> Overlay {
    let plan = Plan {
        notes: Vec::new(),
        asks_for: None,
        facts: Vec::new(),
        id: "20261123-140200-1".into(),
        endpoint: "demo".into(),
        made_at: model::now(),
        preconditions: Vec::new(),
        steps: Vec::new(),
    };
    let lines = [
        "stop llm-finetune",
        "  does    docker stop llm-finetune._.carol",
        "  loses   /dev/shm (tmpfs (memory)): 3 files, 1.2G",
        "  undo    docker start llm-finetune._.carol; what it lost does not come back",
    ];
    let lines = lines.map(String::from).into();
    Overlay::Plan(Box::new(PlanView { plan, more: Vec::new(), lines, confirm, state }))
}

#[test]
fn what_is_protected_and_what_is_not_mounted_is_flagged_and_others_are_counted() {
    let flagged = |columns, rows| {
        let mut model = model::demo(columns, rows);
        model.rows.retain(|row| row.workspace.owner.name.as_deref() == Some("bob"));
        for row in model.rows.iter_mut().filter(|row| row.workspace.name == "scratch") {
            row.workspace.protected = true;
        }
        model.hidden = model::demo(columns, rows).rows.split_off(7);
        model.workspaces.shown = (0..model.rows.len()).collect();
        model.workspaces.selected = 0;
        model
    };
    insta::assert_snapshot!("flagged_80x24", shot(&flagged(80, 24)));
    insta::assert_snapshot!("flagged_120x40", shot(&flagged(120, 40)));
    insta::assert_snapshot!("flagged_40x12", shot(&flagged(40, 12)));
    let mut open = flagged(40, 12);
    open.detail =
        Some(open.rows.iter().find(|row| row.workspace.name == "annotator").unwrap().workspace.key.clone());
    open.open = true;
    insta::assert_snapshot!("flagged_detail_40x12", shot(&open));
}

#[test]
fn hostile_names_stay_in_their_cells() {
    let mut model = model::demo(80, 24);
    let detail = model.rows[0].detail.known().unwrap().clone();
    for (row, name) in
        model.rows.iter_mut().zip(["日本語の名前", "x\u{1b}]0;t\u{7}\r\n", "مشروع", &"long".repeat(1000)])
    {
        row.workspace.name = name.into();
    }
    model.rows[0].detail = Fact::Known(Arc::clone(&detail));
    insta::assert_snapshot!("hostile_80x24", shot(&model));
    insta::assert_snapshot!("hostile_80x24_ascii", ascii(&model));
}
