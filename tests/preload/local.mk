# tests/preload: nothing yet.
