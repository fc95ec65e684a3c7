# tests/property: nothing yet.
