//! Plain data the screen is drawn from.
