# man: the manual pages. The list of options in gcalloc(7) is made from the table that the library reads.
dist_man_MANS += \
	man/gcalloc.1 \
	man/gcalloc-check.1 \
	man/gcalloc-report.5 \
	man/gcalloc.3 \
	man/gcalloc_annotate.3 \
	man/gcalloc_arena.3 \
	man/gcalloc_own.3 \
	man/gcalloc_gc.3 \
	man/gcalloc_leak.3 \
	man/gcalloc_pool.3 \
	man/gcalloc_quarantine.3
nodist_man_MANS = man/gcalloc.7
EXTRA_DIST += \
	man/gcalloc.7.in \
	man/options.awk
CLEANFILES += \
	man/gcalloc.7 \
	man/options.mdoc

man/options.mdoc: src/base/options.def man/options.awk
	$(AM_V_GEN)$(MKDIR_P) man && \
	$(AWK) -f $(srcdir)/man/options.awk $(srcdir)/src/base/options.def > $@.new && mv $@.new $@

man/gcalloc.7: man/gcalloc.7.in man/options.mdoc Makefile
	$(AM_V_GEN)$(SED) -e '/^%OPTIONS%$$/{' -e 'r man/options.mdoc' -e 'd' -e '}' \
		-e 's|%LIBDIR%|$(libdir)|g' $(srcdir)/man/gcalloc.7.in > $@.new && mv $@.new $@
