//! Screens: models drawn and compared with what somebody looked at and accepted.

mod any_size;
mod backups;
mod browse;
mod disk;
mod lifecycle;
mod pictures;
mod shots;
