# tests/static: what compilers make of the annotations. `make check-static` runs every checker of this machine over every case, and
# the cases themselves on the library: a minute or two. `make check` only does what is fast.
STATIC_CASES = \
	tests/static/cases/arena_freed_twice.c \
	tests/static/cases/arena_not_freed.c \
	tests/static/cases/arena_object_escapes.c \
	tests/static/cases/arena_object_passed_to_free.c \
	tests/static/cases/arena_scratch_returned.c \
	tests/static/cases/arena_used_after_free.c \
	tests/static/cases/arena_used_after_reset.c \
	tests/static/cases/borrow_change_while_read.c \
	tests/static/cases/borrow_drop_while_read.c \
	tests/static/cases/borrow_ended_as_other_kind.c \
	tests/static/cases/borrow_ended_of_other.c \
	tests/static/cases/borrow_ended_twice.c \
	tests/static/cases/borrow_give_while_read.c \
	tests/static/cases/borrow_in_loop_ended_once.c \
	tests/static/cases/borrow_mut_of_two_names.c \
	tests/static/cases/borrow_mut_twice.c \
	tests/static/cases/borrow_mut_while_read.c \
	tests/static/cases/borrow_not_ended_on_error.c \
	tests/static/cases/borrow_read_while_changed.c \
	tests/static/cases/borrow_resize_while_read.c \
	tests/static/cases/borrow_returned.c \
	tests/static/cases/borrow_survives_its_loop.c \
	tests/static/cases/callback_context_dropped_first.c \
	tests/static/cases/callback_frees_its_argument.c \
	tests/static/cases/conditional_owner_drops_borrowed.c \
	tests/static/cases/conditional_owner_never_drops.c \
	tests/static/cases/container_element_dropped_in_place.c \
	tests/static/cases/container_grown_while_element_is_lent.c \
	tests/static/cases/double_drop_after_giving.c \
	tests/static/cases/double_drop_at_error.c \
	tests/static/cases/double_drop_at_label.c \
	tests/static/cases/double_drop_by_alias.c \
	tests/static/cases/double_drop_deferred.c \
	tests/static/cases/double_drop_last_of_loop.c \
	tests/static/cases/double_drop_of_element.c \
	tests/static/cases/double_drop_of_member.c \
	tests/static/cases/double_drop_of_scoped.c \
	tests/static/cases/double_drop_two_owners.c \
	tests/static/cases/drop_of_counted_by_free.c \
	tests/static/cases/drop_of_inner_address.c \
	tests/static/cases/drop_of_local.c \
	tests/static/cases/early_return_between_two.c \
	tests/static/cases/error_path_drops_too_much.c \
	tests/static/cases/error_path_forgets_file.c \
	tests/static/cases/handles_not_freed.c \
	tests/static/cases/leak_error_path.c \
	tests/static/cases/leak_filtered_from_queue.c \
	tests/static/cases/leak_forgotten_member.c \
	tests/static/cases/leak_goto_order.c \
	tests/static/cases/leak_half_made.c \
	tests/static/cases/leak_loop_continue.c \
	tests/static/cases/leak_moved_and_forgotten.c \
	tests/static/cases/leak_overwrite.c \
	tests/static/cases/leak_realloc_failed.c \
	tests/static/cases/leak_replaced_value.c \
	tests/static/cases/leak_result_ignored.c \
	tests/static/cases/leak_switch_case.c \
	tests/static/cases/leak_thread_argument.c \
	tests/static/cases/leak_threads_list.c \
	tests/static/cases/leak_tracked_early_return.c \
	tests/static/cases/lock_kept_on_error.c \
	tests/static/cases/lock_needed_by_callee.c \
	tests/static/cases/lock_not_taken.c \
	tests/static/cases/lock_released_by_hand.c \
	tests/static/cases/lock_released_twice.c \
	tests/static/cases/lock_taken_twice.c \
	tests/static/cases/lock_written_while_shared.c \
	tests/static/cases/loop_drops_what_it_keeps.c \
	tests/static/cases/loop_reuses_dropped_scratch.c \
	tests/static/cases/member_replaced_without_drop.c \
	tests/static/cases/member_shared_by_copy.c \
	tests/static/cases/move_twice.c \
	tests/static/cases/pool_object_put_twice.c \
	tests/static/cases/pool_object_used_after_put.c \
	tests/static/cases/queue_pops_and_forgets.c \
	tests/static/cases/rc_cache_not_released.c \
	tests/static/cases/rc_cycle.c \
	tests/static/cases/rc_reference_given_twice.c \
	tests/static/cases/rc_released_twice.c \
	tests/static/cases/rc_retained_and_forgotten.c \
	tests/static/cases/rc_upgrade_not_checked.c \
	tests/static/cases/rc_upgrade_not_released.c \
	tests/static/cases/rc_used_after_release.c \
	tests/static/cases/realloc_result_dropped.c \
	tests/static/cases/string_built_over_end.c \
	tests/static/cases/use_after_conditional_drop.c \
	tests/static/cases/use_after_drop_call.c \
	tests/static/cases/use_after_drop_in_list_walk.c \
	tests/static/cases/use_after_drop_of_owner.c \
	tests/static/cases/use_after_drop_of_tree.c \
	tests/static/cases/use_after_drop_read.c \
	tests/static/cases/use_after_giving.c \
	tests/static/cases/use_after_growth.c \
	tests/static/cases/use_after_move.c \
	tests/static/cases/use_after_owner_dropped_by_callee.c \
	tests/static/cases/weak_used_without_upgrade.c \
	tests/static/cases/wrong_drop_function.c

EXTRA_DIST += \
	$(STATIC_CASES) \
	tests/static/annotated.sh \
	tests/static/borrows.sh \
	tests/static/check_static.py \
	tests/static/expected.txt \
	tests/static/neutral.c \
	tests/static/neutral.sh

if !SANITIZED
TESTS += \
	tests/static/annotated.sh \
	tests/static/borrows.sh \
	tests/static/neutral.sh
endif

check-static: all
	@$(AM_TESTS_ENVIRONMENT) python3 $(srcdir)/tests/static/check_static.py $(CHECK_STATIC_OPTIONS)

.PHONY: check-static
