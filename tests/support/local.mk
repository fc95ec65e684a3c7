# tests/support: nothing yet.
