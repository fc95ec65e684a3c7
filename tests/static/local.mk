# tests/static: what compilers make of the annotations.
EXTRA_DIST += \
	tests/static/neutral.c \
	tests/static/neutral.sh

if !SANITIZED
TESTS += tests/static/neutral.sh
endif
