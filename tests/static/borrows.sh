#!/bin/sh
# borrows.sh: the fastest of the checkers, which is also the one whose catches nobody else makes. `make check-static` runs all.
exec "${PYTHON:-python3}" "$top_srcdir/tests/static/check_static.py" --checkers borrows
