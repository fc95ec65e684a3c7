# tests/preload/ports: the larger examples at work, under load, run by ports.py.
if !SANITIZED
TESTS += tests/preload/ports/ports.py
endif
dist_check_SCRIPTS += tests/preload/ports/ports.py
