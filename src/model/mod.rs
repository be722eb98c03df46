//! Plain data the screen is drawn from.

pub mod key;
