//! Values and pure rules: no I/O, no clock, no async, no colours.
//!
//! Foreign crates here: serde, jiff's instants and base64 for the JSON contract.
//! A fact (what is lost?) belongs here; a question to the outside belongs to `port`.

pub mod aftermath;
pub mod also;
pub mod archive;
pub mod backup;
pub mod check;
pub mod classify;
mod device;
pub mod due;
pub mod error;
pub mod event;
pub mod facts;
pub mod fate;
pub mod filesystem;
pub mod finding;
pub mod found;
pub mod git_init;
pub mod grounds;
pub mod habits;
pub mod identity;
pub mod lessons;
pub mod lifecycle;
pub mod limits;
pub mod listing;
pub mod mirror;
pub mod mount;
pub mod object;
pub mod ondisk;
pub mod path;
pub mod pattern;
pub mod phrase;
pub mod places;
pub mod plan;
pub mod preview;
pub mod profile;
pub mod quota;
pub mod recognise;
pub mod refetch;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod secrets;
pub mod situation;
pub mod span;
pub mod spot;
pub mod stake;
pub mod storage;
pub mod subject;
pub mod surroundings;
pub mod timer;
pub mod timing;
pub mod value;
pub mod workspace;
