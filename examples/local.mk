# examples: nothing yet.
