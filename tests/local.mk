# Tests. Every folder keeps its own list; what all of them share is here.
include $(top_srcdir)/tests/lint/local.mk
include $(top_srcdir)/tests/support/local.mk
include $(top_srcdir)/tests/unit/local.mk
include $(top_srcdir)/tests/property/local.mk
include $(top_srcdir)/tests/preload/local.mk
include $(top_srcdir)/tests/fault/local.mk
include $(top_srcdir)/tests/stress/local.mk
