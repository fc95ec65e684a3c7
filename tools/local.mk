# tools: nothing yet.
