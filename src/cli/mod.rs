//! The command line: one file a verb; prints the same reports as the screen.
