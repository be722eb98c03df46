//! What follows from all workspaces together: who is shown, which rules hold where none says
//! otherwise, and the event that views begin with.

use std::sync::Arc;

use super::State;
use crate::core::recognise::first_event;

impl State {
    /// What follows from all workspaces together: who is shown, the rules that hold where none
    /// says otherwise, and the event that views begin with.
    pub(super) fn take_stock(&mut self) {
        self.hide();
        let model = &mut self.model;
        let (profile, recognised) = model.profiles.stands(model.workspace_rules());
        if !model.default_is_set {
            let running = model.rows.iter().filter(|row| row.workspace.state.is_up());
            let first = first_event(running.map(|row| &*row.rules), &profile);
            if !self.event_picked && model.event == model.default_event {
                model.event = first;
            }
            model.default_event = first;
        }
        if recognised != model.rules.recognised {
            let standing = model.profiles.standing(model.workspace_rules());
            model.folder_roots = model.profiles.roots(&profile);
            model.rules = Arc::new(standing);
            // Other rules may have other folders.
            self.folders_asked = false;
        }
        self.take_places();
    }

    /// Sorts out the workspaces that the viewer is not to see.
    pub(super) fn hide(&mut self) {
        let model = &mut self.model;
        let right =
            model.rows.iter().all(|row| model.sees(row)) && !model.hidden.iter().any(|row| model.sees(row));
        if right {
            return;
        }
        let selected = model.selected().map(|row| row.workspace.key.clone());
        let mut all = std::mem::take(&mut model.rows);
        all.append(&mut model.hidden);
        for row in all {
            if model.sees(&row) { model.rows.push(row) } else { model.hidden.push(row) }
        }
        self.reselect(selected.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::app::msg::Msg;
    use crate::core::event::Event;
    use crate::core::identity::Viewer;
    use crate::core::recognise::Profiles;
    use crate::core::workspace::{Owner, RunState, Workspace, WsKey};
    use crate::model::Model;
    use crate::model::key::parse_keys;
    use crate::port::{Capabilities, Endpoint, Inventory, Probe};

    fn workspace(name: &str, owner: &str, label: &str) -> Workspace {
        Workspace {
            key: WsKey { endpoint: "docker".into(), id: name.into() },
            container: Some(name.into()),
            name: name.into(),
            owner: Owner { name: Some(owner.into()), from: None },
            project: None,
            image: None,
            image_id: None,
            state: RunState::Running,
            created: None,
            labels: BTreeMap::from([(label.to_string(), "vessl".to_string())]),
            managed_by: None,
            protected: false,
            client: crate::core::workspace::CLIENT,
        }
    }

    /// A state that was told of these.
    fn told(workspaces: Vec<Workspace>) -> State {
        let all = crate::platform::profiles::built_in().unwrap();
        let endpoint = Endpoint { id: "docker".into(), title: "Docker".into(), address: String::new() };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let profiles = Profiles { all, ..Profiles::default() };
        let mut state = State::new(Model::new(endpoint, Arc::new(profiles), now));
        state.model.viewer = Viewer { uid: 1001, name: Some("alice".into()), ..Viewer::default() };
        let probe = Probe { product: "fake".into(), capabilities: Capabilities::default() };
        state.update(Msg::Connected(Ok(probe)));
        tell(&mut state, workspaces);
        state
    }

    fn tell(state: &mut State, workspaces: Vec<Workspace>) {
        let as_of = jiff::Timestamp::UNIX_EPOCH;
        state.update(Msg::Listed(Ok(Inventory { workspaces, images: Ok(Vec::new()), as_of })));
    }

    fn press(state: &mut State, keys: &str) {
        for key in parse_keys(keys) {
            state.update(Msg::Key(key));
        }
    }

    const DS01: &str = "ds01.user";
    const RECREATES: &str = "outlast.profile";

    #[test]
    fn views_begin_with_a_stop_where_every_platform_recreates_until_somebody_chose() {
        let recreates = || workspace("a", "alice", RECREATES);
        let mut state = told(vec![recreates()]);
        assert_eq!((state.model.event, state.model.event_chosen()), (Event::Stop, false));
        tell(&mut state, vec![recreates(), workspace("b", "alice", DS01)]);
        assert_eq!((state.model.event, state.model.event_chosen()), (Event::Retire, false));
        // What was picked stays, although it is what views would begin with.
        press(&mut state, "w<enter>");
        tell(&mut state, vec![recreates()]);
        assert_eq!((state.model.event, state.model.event_chosen()), (Event::Retire, true));
        press(&mut state, "<esc>");
        assert_eq!((state.model.event, state.model.event_chosen()), (Event::Stop, false));
    }

    #[test]
    fn an_event_from_the_settings_is_never_changed() {
        let mut state = told(Vec::new());
        (state.model.event, state.model.default_event) = (Event::Reboot, Event::Reboot);
        state.model.default_is_set = true;
        tell(&mut state, vec![workspace("a", "alice", RECREATES)]);
        assert_eq!((state.model.event, state.model.default_event), (Event::Reboot, Event::Reboot));
    }

    #[test]
    fn the_standing_rules_are_those_that_all_recognised_workspaces_share() {
        let mut state = told(vec![workspace("a", "alice", DS01), workspace("b", "alice", "other")]);
        assert_eq!(state.model.rules.profile.id, "ds01");
        tell(&mut state, vec![workspace("a", "alice", DS01), workspace("c", "alice", RECREATES)]);
        assert_eq!(state.model.rules.profile.id, "docker");
    }

    #[test]
    fn anothers_workspace_is_known_and_not_shown() {
        let all = || {
            vec![
                workspace("hers", "bob", DS01),
                workspace("own", "alice", DS01),
                workspace("open", "bob", "other"),
            ]
        };
        let mut state = told(all());
        let names = |rows: &[crate::model::Row]| -> Vec<String> {
            rows.iter().map(|row| row.workspace.name.clone()).collect()
        };
        assert_eq!(
            (names(&state.model.rows), names(&state.model.hidden)),
            (vec!["own".into(), "open".into()], vec!["hers".into()])
        );
        assert_eq!(state.model.workspaces.shown.len(), 2);
        tell(&mut state, all());
        assert_eq!(names(&state.model.hidden), ["hers"], "and stays so");
        state.model.viewer = Viewer::default();
        tell(&mut state, all());
        assert_eq!(names(&state.model.rows).len(), 3, "root sees all");
    }
}
