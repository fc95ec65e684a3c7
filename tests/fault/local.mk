# tests/fault: nothing yet.
