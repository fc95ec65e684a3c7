# tests/preload/misuse: one program for each way to misuse malloc, run by misuse.py.
misuse_programs = \
	tests/preload/misuse/arena_cursor_left_open \
	tests/preload/misuse/arena_freed_in_destructor \
	tests/preload/misuse/arena_freed_twice \
	tests/preload/misuse/arena_freed_under_sub_arena \
	tests/preload/misuse/arena_object_freed \
	tests/preload/misuse/arena_object_freed_after_end \
	tests/preload/misuse/arena_object_resized \
	tests/preload/misuse/arena_passed_to_free \
	tests/preload/misuse/arena_reset_by_another_thread \
	tests/preload/misuse/arena_rewound_out_of_order \
	tests/preload/misuse/arena_written_after_reset \
	tests/preload/misuse/arena_written_past_the_end \
	tests/preload/misuse/double_delete \
	tests/preload/misuse/double_free_after_owner_exit \
	tests/preload/misuse/double_free_aligned \
	tests/preload/misuse/double_free_between \
	tests/preload/misuse/double_free_by_two_threads \
	tests/preload/misuse/double_free_huge \
	tests/preload/misuse/double_free_in_child \
	tests/preload/misuse/double_free_large \
	tests/preload/misuse/double_free_later \
	tests/preload/misuse/double_free_orphan \
	tests/preload/misuse/double_free_remote \
	tests/preload/misuse/double_free_remote_then_owner \
	tests/preload/misuse/double_free_sized \
	tests/preload/misuse/double_free_small \
	tests/preload/misuse/double_free_thrice \
	tests/preload/misuse/free_beyond_the_heap \
	tests/preload/misuse/free_code \
	tests/preload/misuse/free_constant \
	tests/preload/misuse/free_integer \
	tests/preload/misuse/free_interior_huge \
	tests/preload/misuse/free_interior_large \
	tests/preload/misuse/free_interior_odd \
	tests/preload/misuse/free_interior_of_freed \
	tests/preload/misuse/free_interior_small \
	tests/preload/misuse/free_mapping \
	tests/preload/misuse/free_never_allocated \
	tests/preload/misuse/free_non_canonical \
	tests/preload/misuse/free_stack \
	tests/preload/misuse/free_static \
	tests/preload/misuse/free_thread_stack \
	tests/preload/misuse/free_unmapped \
	tests/preload/misuse/pool_freed_twice \
	tests/preload/misuse/pool_object_freed \
	tests/preload/misuse/pool_object_put_twice \
	tests/preload/misuse/pool_put_of_others \
	tests/preload/misuse/realloc_of_freed \
	tests/preload/misuse/realloc_of_freed_large \
	tests/preload/misuse/realloc_of_interior \
	tests/preload/misuse/realloc_of_never_allocated \
	tests/preload/misuse/realloc_of_stack \
	tests/preload/misuse/realloc_to_zero_of_freed \
	tests/preload/misuse/sized_delete_large_as_small \
	tests/preload/misuse/sized_delete_too_large \
	tests/preload/misuse/sized_delete_too_small \
	tests/preload/misuse/usable_size_of_freed \
	tests/preload/misuse/write_after_free \
	tests/preload/misuse/write_past_the_end

if !SANITIZED
check_LIBRARIES += libmisuse.a
check_PROGRAMS += $(misuse_programs)
TESTS += tests/preload/misuse/misuse.py
endif
dist_check_SCRIPTS += tests/preload/misuse/misuse.py

libmisuse_a_CPPFLAGS = $(TEST_CPPFLAGS)
libmisuse_a_CFLAGS = $(TEST_CFLAGS)
libmisuse_a_SOURCES = \
	tests/preload/misuse/misuse.c \
	tests/preload/misuse/misuse.h

MISUSE_LDADD = libmisuse.a libsubject.a

tests_preload_misuse_arena_cursor_left_open_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_cursor_left_open_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_cursor_left_open_SOURCES = tests/preload/misuse/arena_cursor_left_open.c
tests_preload_misuse_arena_cursor_left_open_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_freed_in_destructor_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_freed_in_destructor_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_freed_in_destructor_SOURCES = tests/preload/misuse/arena_freed_in_destructor.c
tests_preload_misuse_arena_freed_in_destructor_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_freed_twice_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_freed_twice_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_freed_twice_SOURCES = tests/preload/misuse/arena_freed_twice.c
tests_preload_misuse_arena_freed_twice_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_freed_under_sub_arena_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_freed_under_sub_arena_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_freed_under_sub_arena_SOURCES = tests/preload/misuse/arena_freed_under_sub_arena.c
tests_preload_misuse_arena_freed_under_sub_arena_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_object_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_object_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_object_freed_SOURCES = tests/preload/misuse/arena_object_freed.c
tests_preload_misuse_arena_object_freed_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_object_freed_after_end_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_object_freed_after_end_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_object_freed_after_end_SOURCES = tests/preload/misuse/arena_object_freed_after_end.c
tests_preload_misuse_arena_object_freed_after_end_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_object_resized_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_object_resized_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_object_resized_SOURCES = tests/preload/misuse/arena_object_resized.c
tests_preload_misuse_arena_object_resized_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_passed_to_free_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_passed_to_free_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_passed_to_free_SOURCES = tests/preload/misuse/arena_passed_to_free.c
tests_preload_misuse_arena_passed_to_free_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_reset_by_another_thread_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_reset_by_another_thread_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_reset_by_another_thread_SOURCES = tests/preload/misuse/arena_reset_by_another_thread.c
tests_preload_misuse_arena_reset_by_another_thread_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_rewound_out_of_order_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_rewound_out_of_order_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_rewound_out_of_order_SOURCES = tests/preload/misuse/arena_rewound_out_of_order.c
tests_preload_misuse_arena_rewound_out_of_order_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_written_after_reset_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_written_after_reset_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_written_after_reset_SOURCES = tests/preload/misuse/arena_written_after_reset.c
tests_preload_misuse_arena_written_after_reset_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_arena_written_past_the_end_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_arena_written_past_the_end_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_arena_written_past_the_end_SOURCES = tests/preload/misuse/arena_written_past_the_end.c
tests_preload_misuse_arena_written_past_the_end_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_double_delete_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_delete_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_delete_SOURCES = tests/preload/misuse/double_delete.c
tests_preload_misuse_double_delete_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_after_owner_exit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_after_owner_exit_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_after_owner_exit_SOURCES = tests/preload/misuse/double_free_after_owner_exit.c
tests_preload_misuse_double_free_after_owner_exit_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_aligned_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_aligned_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_aligned_SOURCES = tests/preload/misuse/double_free_aligned.c
tests_preload_misuse_double_free_aligned_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_between_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_between_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_between_SOURCES = tests/preload/misuse/double_free_between.c
tests_preload_misuse_double_free_between_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_by_two_threads_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_by_two_threads_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_by_two_threads_SOURCES = tests/preload/misuse/double_free_by_two_threads.c
tests_preload_misuse_double_free_by_two_threads_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_huge_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_huge_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_huge_SOURCES = tests/preload/misuse/double_free_huge.c
tests_preload_misuse_double_free_huge_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_in_child_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_in_child_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_in_child_SOURCES = tests/preload/misuse/double_free_in_child.c
tests_preload_misuse_double_free_in_child_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_large_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_large_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_large_SOURCES = tests/preload/misuse/double_free_large.c
tests_preload_misuse_double_free_large_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_later_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_later_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_later_SOURCES = tests/preload/misuse/double_free_later.c
tests_preload_misuse_double_free_later_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_orphan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_orphan_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_orphan_SOURCES = tests/preload/misuse/double_free_orphan.c
tests_preload_misuse_double_free_orphan_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_remote_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_remote_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_remote_SOURCES = tests/preload/misuse/double_free_remote.c
tests_preload_misuse_double_free_remote_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_remote_then_owner_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_remote_then_owner_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_remote_then_owner_SOURCES = tests/preload/misuse/double_free_remote_then_owner.c
tests_preload_misuse_double_free_remote_then_owner_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_sized_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_sized_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_sized_SOURCES = tests/preload/misuse/double_free_sized.c
tests_preload_misuse_double_free_sized_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_small_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_small_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_small_SOURCES = tests/preload/misuse/double_free_small.c
tests_preload_misuse_double_free_small_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_double_free_thrice_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_double_free_thrice_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_double_free_thrice_SOURCES = tests/preload/misuse/double_free_thrice.c
tests_preload_misuse_double_free_thrice_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_beyond_the_heap_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_beyond_the_heap_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_beyond_the_heap_SOURCES = tests/preload/misuse/free_beyond_the_heap.c
tests_preload_misuse_free_beyond_the_heap_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_code_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_code_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_code_SOURCES = tests/preload/misuse/free_code.c
tests_preload_misuse_free_code_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_constant_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_constant_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_constant_SOURCES = tests/preload/misuse/free_constant.c
tests_preload_misuse_free_constant_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_integer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_integer_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_integer_SOURCES = tests/preload/misuse/free_integer.c
tests_preload_misuse_free_integer_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_interior_huge_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_interior_huge_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_interior_huge_SOURCES = tests/preload/misuse/free_interior_huge.c
tests_preload_misuse_free_interior_huge_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_interior_large_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_interior_large_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_interior_large_SOURCES = tests/preload/misuse/free_interior_large.c
tests_preload_misuse_free_interior_large_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_interior_odd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_interior_odd_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_interior_odd_SOURCES = tests/preload/misuse/free_interior_odd.c
tests_preload_misuse_free_interior_odd_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_interior_of_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_interior_of_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_interior_of_freed_SOURCES = tests/preload/misuse/free_interior_of_freed.c
tests_preload_misuse_free_interior_of_freed_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_interior_small_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_interior_small_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_interior_small_SOURCES = tests/preload/misuse/free_interior_small.c
tests_preload_misuse_free_interior_small_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_mapping_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_mapping_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_mapping_SOURCES = tests/preload/misuse/free_mapping.c
tests_preload_misuse_free_mapping_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_never_allocated_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_never_allocated_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_never_allocated_SOURCES = tests/preload/misuse/free_never_allocated.c
tests_preload_misuse_free_never_allocated_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_non_canonical_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_non_canonical_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_non_canonical_SOURCES = tests/preload/misuse/free_non_canonical.c
tests_preload_misuse_free_non_canonical_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_stack_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_stack_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_stack_SOURCES = tests/preload/misuse/free_stack.c
tests_preload_misuse_free_stack_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_static_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_static_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_static_SOURCES = tests/preload/misuse/free_static.c
tests_preload_misuse_free_static_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_thread_stack_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_thread_stack_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_thread_stack_SOURCES = tests/preload/misuse/free_thread_stack.c
tests_preload_misuse_free_thread_stack_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_free_unmapped_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_free_unmapped_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_free_unmapped_SOURCES = tests/preload/misuse/free_unmapped.c
tests_preload_misuse_free_unmapped_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_pool_freed_twice_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_pool_freed_twice_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_pool_freed_twice_SOURCES = tests/preload/misuse/pool_freed_twice.c
tests_preload_misuse_pool_freed_twice_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_pool_object_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_pool_object_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_pool_object_freed_SOURCES = tests/preload/misuse/pool_object_freed.c
tests_preload_misuse_pool_object_freed_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_pool_object_put_twice_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_pool_object_put_twice_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_pool_object_put_twice_SOURCES = tests/preload/misuse/pool_object_put_twice.c
tests_preload_misuse_pool_object_put_twice_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_pool_put_of_others_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_pool_put_of_others_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_pool_put_of_others_SOURCES = tests/preload/misuse/pool_put_of_others.c
tests_preload_misuse_pool_put_of_others_LDADD = libgcalloc.la $(MISUSE_LDADD)

tests_preload_misuse_realloc_of_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_of_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_of_freed_SOURCES = tests/preload/misuse/realloc_of_freed.c
tests_preload_misuse_realloc_of_freed_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_realloc_of_freed_large_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_of_freed_large_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_of_freed_large_SOURCES = tests/preload/misuse/realloc_of_freed_large.c
tests_preload_misuse_realloc_of_freed_large_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_realloc_of_interior_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_of_interior_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_of_interior_SOURCES = tests/preload/misuse/realloc_of_interior.c
tests_preload_misuse_realloc_of_interior_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_realloc_of_never_allocated_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_of_never_allocated_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_of_never_allocated_SOURCES = tests/preload/misuse/realloc_of_never_allocated.c
tests_preload_misuse_realloc_of_never_allocated_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_realloc_of_stack_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_of_stack_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_of_stack_SOURCES = tests/preload/misuse/realloc_of_stack.c
tests_preload_misuse_realloc_of_stack_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_realloc_to_zero_of_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_realloc_to_zero_of_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_realloc_to_zero_of_freed_SOURCES = tests/preload/misuse/realloc_to_zero_of_freed.c
tests_preload_misuse_realloc_to_zero_of_freed_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_sized_delete_large_as_small_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_sized_delete_large_as_small_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_sized_delete_large_as_small_SOURCES = tests/preload/misuse/sized_delete_large_as_small.c
tests_preload_misuse_sized_delete_large_as_small_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_sized_delete_too_large_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_sized_delete_too_large_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_sized_delete_too_large_SOURCES = tests/preload/misuse/sized_delete_too_large.c
tests_preload_misuse_sized_delete_too_large_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_sized_delete_too_small_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_sized_delete_too_small_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_sized_delete_too_small_SOURCES = tests/preload/misuse/sized_delete_too_small.c
tests_preload_misuse_sized_delete_too_small_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_usable_size_of_freed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_usable_size_of_freed_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_usable_size_of_freed_SOURCES = tests/preload/misuse/usable_size_of_freed.c
tests_preload_misuse_usable_size_of_freed_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_write_after_free_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_write_after_free_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_write_after_free_SOURCES = tests/preload/misuse/write_after_free.c
tests_preload_misuse_write_after_free_LDADD = $(MISUSE_LDADD)

tests_preload_misuse_write_past_the_end_CPPFLAGS = $(TEST_CPPFLAGS)
tests_preload_misuse_write_past_the_end_CFLAGS = $(TEST_CFLAGS)
tests_preload_misuse_write_past_the_end_SOURCES = tests/preload/misuse/write_past_the_end.c
tests_preload_misuse_write_past_the_end_LDADD = $(MISUSE_LDADD)
