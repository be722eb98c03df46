//! What the person and the system tell us: keys, pastes, sizes, signals, in one stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use crossterm::event::{Event, EventStream, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::stream::{self, Stream, StreamExt};

use super::signals;
use crate::model::key::{Key, KeyCode};

/// One thing that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed, or repeats.
    Key(Key),
    /// Text was pasted (untrusted).
    Paste(String),
    /// The window has a new size.
    Resized {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The process is to stop (Ctrl-Z or SIGTSTP): answer with [`super::Screen::suspend`].
    Suspended,
    /// The process was continued: answer with [`super::Screen::resume`].
    Resumed,
    /// A signal asks to end; the exit code is [`super::exit_code`] of it.
    Terminate(i32),
    /// The terminal is gone: leave without drawing.
    Gone,
}

/// All input, once the terminal was entered. Drop it before a child gets the terminal.
///
/// Where the signal thread cannot be started, keys still work.
pub fn inputs() -> impl Stream<Item = Input> + Unpin {
    let mut signals = signals::listen().ok();
    let signals = stream::poll_fn(move |context| match &mut signals {
        Some(receiver) => receiver.poll_recv(context),
        None => Poll::Ready(None),
    });
    let keys = UntilGone(Some(EventStream::new())).flat_map(|event| stream::iter(translate(event)));
    stream::select(signals, keys)
}

/// The terminal's events, and one nothing when they end or fail.
struct UntilGone(Option<EventStream>);

impl Stream for UntilGone {
    type Item = Option<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(events) = &mut self.0 else { return Poll::Ready(None) };
        let event = match events.poll_next_unpin(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(event))) => Some(event),
            Poll::Ready(Some(Err(_)) | None) => {
                self.0 = None;
                None
            }
        };
        Poll::Ready(Some(event))
    }
}

fn translate(event: Option<Event>) -> Vec<Input> {
    match event {
        None => vec![Input::Gone],
        Some(Event::Key(event)) => keys(event),
        Some(Event::Paste(text)) => vec![Input::Paste(text)],
        Some(Event::Resize(cols, rows)) => vec![Input::Resized { cols: cols.max(1), rows: rows.max(1) }],
        Some(Event::FocusGained | Event::FocusLost | Event::Mouse(_)) => Vec::new(),
    }
}

/// A key event as keys: Alt and a key are what Esc and the key look like on a slow line, and no
/// key of ours needs Alt.
fn keys(event: KeyEvent) -> Vec<Input> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let code = match event.code {
        Code::Char('z') if ctrl => return vec![Input::Suspended],
        // What some terminals send for Backspace, and a line feed for Enter.
        Code::Char('h') if ctrl => return vec![Input::Key(Key::plain(KeyCode::Backspace))],
        Code::Char('j') if ctrl => return vec![Input::Key(Key::plain(KeyCode::Enter))],
        Code::Char(character) => KeyCode::Char(character),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        _ => return Vec::new(),
    };
    let key = Input::Key(Key { code, ctrl });
    if event.modifiers.contains(KeyModifiers::ALT) {
        vec![Input::Key(Key::plain(KeyCode::Esc)), key]
    } else {
        vec![key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: Code, modifiers: KeyModifiers) -> Vec<Input> {
        translate(Some(Event::Key(KeyEvent::new(code, modifiers))))
    }

    #[test]
    fn a_press_and_a_repeat_count_and_a_release_does_not() {
        let event = |kind| Event::Key(KeyEvent::new_with_kind(Code::Char('j'), KeyModifiers::NONE, kind));
        assert_eq!(translate(Some(event(KeyEventKind::Press))).len(), 1);
        assert_eq!(translate(Some(event(KeyEventKind::Repeat))).len(), 1);
        assert_eq!(translate(Some(event(KeyEventKind::Release))).len(), 0);
    }

    #[test]
    fn escape_and_a_key_that_arrive_together_are_two_keys() {
        let both = vec![Input::Key(Key::plain(KeyCode::Esc)), Input::Key(Key::plain(KeyCode::Char('q')))];
        assert_eq!(pressed(Code::Char('q'), KeyModifiers::ALT), both);
    }

    #[test]
    fn control_keys_keep_their_usual_meaning() {
        assert_eq!(pressed(Code::Char('z'), KeyModifiers::CONTROL), [Input::Suspended]);
        let backspace = Input::Key(Key::plain(KeyCode::Backspace));
        assert_eq!(pressed(Code::Char('h'), KeyModifiers::CONTROL), [backspace]);
        let page = Input::Key(Key { code: KeyCode::Char('d'), ctrl: true });
        assert_eq!(pressed(Code::Char('d'), KeyModifiers::CONTROL), [page]);
    }

    #[test]
    fn the_end_of_the_terminal_is_told_once() {
        assert_eq!(translate(None), [Input::Gone]);
        assert_eq!(translate(Some(Event::Resize(0, 0))), [Input::Resized { cols: 1, rows: 1 }]);
    }
}
