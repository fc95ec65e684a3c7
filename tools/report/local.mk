# tools/report: report files read, named and shown. What a missing library leaves out has a stand-in.
report_sources = \
	tools/report/changes.c \
	tools/report/changes.h \
	tools/report/changes_json.c \
	tools/report/changes_text.c \
	tools/report/command.c \
	tools/report/demangle.h \
	tools/report/fields.c \
	tools/report/fields.h \
	tools/report/folded.c \
	tools/report/format.h \
	tools/report/html.c \
	tools/report/json.c \
	tools/report/json.h \
	tools/report/lives_text.c \
	tools/report/memory.c \
	tools/report/memory.h \
	tools/report/names.c \
	tools/report/names.h \
	tools/report/page.h \
	tools/report/page_data.c \
	tools/report/page_data.h \
	tools/report/parse.c \
	tools/report/pattern.c \
	tools/report/pattern.h \
	tools/report/progress.c \
	tools/report/progress.h \
	tools/report/quantity.c \
	tools/report/quantity.h \
	tools/report/read.c \
	tools/report/render.h \
	tools/report/report.h \
	tools/report/sarif.c \
	tools/report/sarif.h \
	tools/report/show.c \
	tools/report/show.h \
	tools/report/samples.c \
	tools/report/samples.h \
	tools/report/sites.c \
	tools/report/sites.h \
	tools/report/source.c \
	tools/report/source.h \
	tools/report/suppress.c \
	tools/report/suppress.h \
	tools/report/suppress_rule.c \
	tools/report/suppress_rule.h \
	tools/report/suppressions_out.c \
	tools/report/symbols.h \
	tools/report/text.c \
	tools/report/text.h
libdw_sources = \
	tools/report/debug_file.c \
	tools/report/debug_file.h \
	tools/report/symbols.c \
	tools/report/units.c \
	tools/report/units.h
pprof_sources = \
	tools/report/pprof.c \
	tools/report/profile.c \
	tools/report/profile.h

# The HTML page, by the name of its part: tools/report/page.h.
page_files = \
	$(top_srcdir)/tools/report/page_head.html \
	$(top_srcdir)/tools/report/page.css \
	$(top_srcdir)/tools/report/page_body.html \
	$(top_srcdir)/tools/report/page.js \
	$(top_srcdir)/tools/report/page_charts.js \
	$(top_srcdir)/tools/report/page_tables.js
page_parts = \
	page_head=$(top_srcdir)/tools/report/page_head.html \
	page_style=$(top_srcdir)/tools/report/page.css \
	page_body=$(top_srcdir)/tools/report/page_body.html \
	page_script=$(top_srcdir)/tools/report/page.js \
	page_chart_script=$(top_srcdir)/tools/report/page_charts.js \
	page_table_script=$(top_srcdir)/tools/report/page_tables.js

# Those of a build that lacks a library are part of the release all the same.
EXTRA_DIST += \
	$(report_sources) \
	$(libdw_sources) \
	$(pprof_sources) \
	tools/report/page.awk \
	tools/report/page.css \
	tools/report/page.js \
	tools/report/page_body.html \
	tools/report/page_charts.js \
	tools/report/page_head.html \
	tools/report/page_tables.js \
	tools/report/command_none.c \
	tools/report/demangle.c \
	tools/report/demangle_none.c \
	tools/report/pprof_none.c \
	tools/report/profile.proto \
	tools/report/symbols_none.c

nodist_gcalloc_SOURCES =
if HAVE_JANSSON
gcalloc_SOURCES += $(report_sources)
nodist_gcalloc_SOURCES += tools/report/page.c
CLEANFILES += tools/report/page.c
gcalloc_LDADD += $(JANSSON_LIBS)
if HAVE_LIBDW
gcalloc_SOURCES += $(libdw_sources)
gcalloc_LDADD += $(LIBDW_LIBS)
else
gcalloc_SOURCES += tools/report/symbols_none.c
endif
if HAVE_LIBIBERTY
gcalloc_SOURCES += tools/report/demangle.c
gcalloc_LDADD += -liberty
else
gcalloc_SOURCES += tools/report/demangle_none.c
endif
if HAVE_PPROF
gcalloc_SOURCES += $(pprof_sources)
nodist_gcalloc_SOURCES += tools/report/profile.pb-c.c tools/report/profile.pb-c.h
gcalloc_LDADD += $(PROTOBUF_C_LIBS) $(ZLIB_LIBS)
BUILT_SOURCES += tools/report/profile.pb-c.h
CLEANFILES += tools/report/profile.pb-c.c tools/report/profile.pb-c.h
else
gcalloc_SOURCES += tools/report/pprof_none.c
endif
else
gcalloc_SOURCES += tools/report/command_none.c
endif

# Only what is made needs the build folder among the includes.
gcalloc_CPPFLAGS += -I$(top_builddir) $(JANSSON_CFLAGS) $(LIBDW_CFLAGS) $(PROTOBUF_C_CFLAGS) $(ZLIB_CFLAGS)

tools/report/profile.pb-c.c: tools/report/profile.pb-c.h
tools/report/profile.pb-c.h: tools/report/profile.proto
	$(AM_V_GEN)$(MKDIR_P) tools/report && \
	$(PROTOC_C) --proto_path=$(top_srcdir) --c_out=. $(top_srcdir)/tools/report/profile.proto
tools/report/gcalloc-profile.$(OBJEXT): tools/report/profile.pb-c.h

tools/report/page.c: tools/report/page.awk $(page_files)
	$(AM_V_GEN)$(MKDIR_P) tools/report && \
	$(AWK) -v parts='$(page_parts)' -f $(top_srcdir)/tools/report/page.awk > $@.new && mv $@.new $@
