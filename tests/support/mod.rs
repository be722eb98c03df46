//! What tests share: real engines and containers on them.

pub(crate) mod docker;
pub(crate) mod dockerd;
