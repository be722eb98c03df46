//! What the project promises about itself: README, CHANGELOG, licences.
