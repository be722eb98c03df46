//! The loop: input, message, pure update, commands, tasks, message.
