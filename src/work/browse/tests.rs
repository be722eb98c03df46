//! Plans about files, made and run on a real file system.
