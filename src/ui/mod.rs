//! The model drawn: one file a panel. No async, no I/O, no engine.
