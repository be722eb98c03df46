//! Pieces that several panels are made of: lines, tables, frames, wrapped text.

mod frame;
mod line;
mod table;

pub(super) use crate::text::wrap;
pub(super) use frame::{boxed, rule, upright};
pub(super) use line::{put, put_right, spans};
pub(super) use table::{Column, Table, TableRow, widest};
