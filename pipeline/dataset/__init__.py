"""The dataset folder: store, tables, builds, reader, verify, diff, gc, quarantine."""
