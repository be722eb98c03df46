//! How values become words for people: sizes, ages, names. Screen and command line share them.
//!
//! Pure. Every name that comes from outside passes through [`printable`] before
//! it reaches a terminal.

mod age;
mod name;
mod size;
mod wrap;

pub use age::{age, ago, clock, span};
pub use name::{cut, cut_middle, pad, printable, printable_path, width};
pub use size::{read_size, size, size_at_least};
pub use wrap::wrap;
