# tests/preload/leaks: what is reported as lost, run by leaks.py.
leaks_programs = \
	tests/preload/leaks/api \
	tests/preload/leaks/library \
	tests/preload/leaks/lsan \
	tests/preload/leaks/moments \
	tests/preload/leaks/places

if !SANITIZED
check_PROGRAMS += $(leaks_programs)
if HAVE_CXX
check_PROGRAMS += tests/preload/leaks/library_cc tests/preload/leaks/objects
endif
TESTS += tests/preload/leaks/leaks.py
endif
dist_check_SCRIPTS += tests/preload/leaks/leaks.py
dist_check_DATA += tests/preload/leaks/sample.json

tests_preload_leaks_api_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_api_CFLAGS = $(TEST_CFLAGS)
tests_preload_leaks_api_SOURCES = tests/preload/leaks/api.c
tests_preload_leaks_api_LDADD = libgcalloc.la libsubject.a

tests_preload_leaks_lsan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_lsan_CFLAGS = $(TEST_CFLAGS) -Wno-missing-prototypes
tests_preload_leaks_lsan_LDFLAGS = -rdynamic
tests_preload_leaks_lsan_SOURCES = tests/preload/leaks/lsan.c
tests_preload_leaks_lsan_LDADD = libgcalloc.la libsubject.a

tests_preload_leaks_moments_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_moments_CFLAGS = $(TEST_CFLAGS)
tests_preload_leaks_moments_SOURCES = tests/preload/leaks/moments.c
tests_preload_leaks_moments_LDADD = libsubject.a

tests_preload_leaks_library_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_library_CFLAGS = $(TEST_CFLAGS)
tests_preload_leaks_library_SOURCES = tests/preload/leaks/library.c
tests_preload_leaks_library_LDADD = libsubject.a

tests_preload_leaks_library_cc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_library_cc_CXXFLAGS = $(TEST_CXXFLAGS) -std=gnu++17
tests_preload_leaks_library_cc_SOURCES = tests/preload/leaks/library.cc

tests_preload_leaks_objects_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_objects_CXXFLAGS = $(TEST_CXXFLAGS) -std=gnu++17
tests_preload_leaks_objects_SOURCES = tests/preload/leaks/objects.cc

tests_preload_leaks_places_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_leaks_places_CFLAGS = $(TEST_CFLAGS)
tests_preload_leaks_places_SOURCES = \
	tests/preload/leaks/places.c \
	tests/preload/leaks/shapes.c \
	tests/preload/leaks/shapes.h
tests_preload_leaks_places_LDADD = libsubject.a
