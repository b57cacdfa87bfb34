"""One schema fragment per backend kind: `$defs/backend` for its options, `$defs/call` for a tool's `call`."""
