//! Every terminal byte: enter and leave, signals, synchronized output, capabilities.
