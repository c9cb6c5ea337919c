//! What the server remembers. [`Store`] is typed and named by intent; `kv` moves bytes.
