//! Readers of the event stream: what people and programs get to see.
//!
//! `terminal.rs` shows progress, `table.rs` the closing table, `json.rs`, `junit.rs` and `html.rs` write files. Each implements
//! [`Reader`](crate::event::Reader) or is a function of [`Results`](crate::results::Results); none decides anything.

pub mod html;
pub mod json;
pub mod junit;
pub mod table;
pub mod terminal;
