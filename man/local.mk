# man: nothing yet.
