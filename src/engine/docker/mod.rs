//! Docker and Podman through their common API (bollard). No bollard type leaves this folder.
