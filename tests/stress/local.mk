# tests/stress: nothing yet.
