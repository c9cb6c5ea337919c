//! auth-server in the place of the Python service (PyPI mcp-oauth-dynamicclient), after it, beside it, and
//! word for word.
//!
//! docs/migration.md says in prose what these tests show.

mod old_client;
mod side_by_side;
mod stage;
mod swap;
mod wire;
