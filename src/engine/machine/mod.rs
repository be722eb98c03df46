//! This machine, read from inside: no daemon, its own mount table.
//!
//! Where it is itself a container, everything it tells is inferred from within;
//! where it is not, its disks and memory are what there is.

mod endpoint;
mod inside;
mod memory;
mod mounts;

pub use endpoint::Machine;
pub use inside::{Clues, Container, Runtime, recognise};
pub use memory::{Memory, memory};
pub use mounts::mounts;
