//! Screens: models drawn and compared with what somebody looked at and accepted.

mod any_size;
mod pictures;
mod shots;
