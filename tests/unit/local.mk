# tests/unit: nothing yet.
