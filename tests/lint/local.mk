# tests/lint: nothing yet.
