//! The demo: an engine in memory, with a Docker-shaped and a pod-shaped endpoint.
