//! A declarative plan/apply reconciler for tournament billing.
//!
//! Data goes one way: a [`manifest`] says what ought to be, [`observe`] joins the [`ledger`] and [`stripe`] into what
//! is, [`plan`] compares them (a pure function), [`apply`] converges, [`render`] shows. `docs/ARCHITECTURE.md` is the
//! map of these rooms.

pub mod apply;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod invariants;
pub mod ledger;
pub mod manifest;
pub mod observe;
pub mod plan;
pub mod render;
pub mod roster;
pub mod sandbox;
pub mod settle;
pub mod stripe;
pub mod verify;
pub mod webhook;
pub mod world;
