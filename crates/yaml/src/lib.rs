//! YAML as the Go tools read and write it: load with positions, resolve, emit.
