//! What outlast remembers, as plain files under the state directory.
