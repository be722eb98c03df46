//! Keeping up with the disk: what the kernel tells of whole file systems, and looks every now and
//! then where it tells nothing. What is then read again is for whoever asked to keep up.

mod hub;
mod places;
mod survey;
#[cfg(test)]
mod tests;
mod writers;

pub use places::follow;
