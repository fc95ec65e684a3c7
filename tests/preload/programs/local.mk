# tests/preload/programs: real programs, run with and without the library and compared to the byte.
if !SANITIZED
TESTS += tests/preload/programs/programs.py
endif
dist_check_SCRIPTS += tests/preload/programs/programs.py tests/preload/programs/field.py

# Many more programs, some gigabytes of them (./bootstrap --field): not part of make check.
check-field: all
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/tests/preload/programs/field.py
.PHONY: check-field

dist_check_DATA += \
	tests/preload/programs/commands.py \
	tests/preload/programs/comparison.py \
	tests/preload/programs/field_commands.py \
	tests/preload/programs/inputs.py \
	tests/preload/programs/servers.py \
	tests/preload/programs/work/Work.java \
	tests/preload/programs/work/work-git.sh \
	tests/preload/programs/work/work.bash \
	tests/preload/programs/work/work.cc \
	tests/preload/programs/work/work.el \
	tests/preload/programs/work/work.gdb \
	tests/preload/programs/work/work.js \
	tests/preload/programs/work/work.lua \
	tests/preload/programs/work/work.php \
	tests/preload/programs/work/work.pl \
	tests/preload/programs/work/work.py \
	tests/preload/programs/work/work.rb \
	tests/preload/programs/work/work.sh \
	tests/preload/programs/work/work.sql \
	tests/preload/programs/work/work.vim
