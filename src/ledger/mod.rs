//! The orders database: one SQL implementation for SQLite and PostgreSQL.
