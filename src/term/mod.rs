//! Every terminal byte: enter and leave, drawing, keys, signals, capabilities.
//!
//! The only place that knows crossterm. The order of a session: [`caps::detect`] (refuses where
//! no full screen is possible), [`guard::install_panic_hook`], [`Screen::on_terminal`],
//! [`Screen::enter`], then [`inputs`] and [`Screen::draw`] until the loop leaves, and
//! [`Screen::leave`]. Nothing here asks the terminal a question: an answer would race with keys.

pub mod caps;
pub mod guard;
mod input;
mod paint;
mod screen;
mod signals;

pub use caps::{Caps, ColorChoice, Colors};
pub use input::{Input, inputs};
pub use screen::{Screen, columns};
pub use signals::exit_code;
