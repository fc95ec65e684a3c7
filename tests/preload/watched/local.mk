# tests/preload/watched: a program under AddressSanitizer, compiled and run by watched.py.
if !SANITIZED
TESTS += tests/preload/watched/watched.py
endif
dist_check_SCRIPTS += tests/preload/watched/watched.py
EXTRA_DIST += tests/preload/watched/watched.c
