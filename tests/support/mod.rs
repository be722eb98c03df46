//! What tests share: real engines and containers on them, models, screens, journeys, terminals.

pub(crate) mod docker;
pub(crate) mod dockerd;
pub(crate) mod journey;
pub(crate) mod model;
pub(crate) mod pty;
pub(crate) mod screen;
pub(crate) mod sshd;
pub(crate) mod svg;
