//! The YAML manifest: its model, its places in the file, its validation and its JSON Schema.
