"""docs/guarantees.md says nothing that no test tries: which tests keep each of its rows.

A row is known by the words that it begins with. A row without its tests fails here, and a test that
is gone or called otherwise; whether the tests keep the row is for whoever writes either to see.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guarantees.md"

KEPT: dict[str, str] = {
    "`pages` ends 4 where": "pages: test_a_page_that_no_folder_has_any_more_ends_4 "
    "test_a_translation_without_its_english_text_is_said_and_is_no_error",
    "`pages --accept` changes": "pages: test_accepting_writes_the_sections_and_nothing_else "
    "test_accepting_anew_keeps_comments_and_the_days_of_what_stayed "
    "test_accepting_fits_the_layouts_of_people",
    # Never green by accident
    "Exit 0 means": "cli: test_a_stub_that_answers_everything_200_is_caught; report_agree: "
    "test_all_reports_agree_on_the_exit_code; prove: test_a_draw_of_the_matrix_has_no_hole",
    "A clause that nothing exercised": "cli: test_a_target_that_is_down_is_inconclusive "
    "test_a_target_that_refuses_everybody_is_inconclusive test_nothing_selected_is_5 "
    "test_a_target_that_answers_only_429_is_inconclusive; report_record: "
    "test_a_verdict_that_says_more_than_was_exercised_does_not_fit_the_schema",
    "A clause is upheld where": "verdicts: test_what_only_a_get_would_show_is_open_without_one "
    "test_each_item_of_a_list_has_to_be_judged",
    "A connection that the target": "verdicts: "
    "test_a_connection_has_carried_a_call_or_nothing_is_known; kept: "
    "test_who_closes_without_a_word_is_not_blamed; quota_judged: test_one_call_upholds_no_quota",
    "A 429 is no evidence": "quota: test_a_429_is_evidence_for_no_other_clause; quota_judged: "
    "test_what_a_429_is_held_to_be",
    "The target is said to follow": "verdicts: "
    "test_a_spelling_that_nobody_has_a_token_of_is_not_known_to_be_followed",
    "An excuse speaks of a need": "excuses: test_an_excuse_keeps_nothing_from_being_asked "
    "test_a_violation_is_not_declined_by_its_id",
    "An excuse of what was": "excuses: test_an_excuse_of_what_was_exercised_is_stale; "
    "baseline_compare: test_a_listed_clause_that_is_upheld_again_fails_and_names_the_line",
    "Two figures stand": "excuses: test_what_is_accepted_is_covered_and_not_kept "
    "test_what_was_excused_is_seen_in_every_report",
    "What is newer than": "editions: test_what_is_newer_is_not_held_against_it "
    "test_every_report_tells_what_is_newer test_no_item_of_pytest_fails_for_what_is_newer "
    "test_the_tip_on_applications_counts_where_an_edition_has_it",
    "Of any number of exchanges": "report_record: "
    "test_of_many_violations_the_first_three_are_shown_and_all_are_counted",
    "All reports derive": "report_agree: "
    "test_no_verdict_and_no_finding_differs_between_any_two_outputs; lost_reports: "
    "test_a_disk_that_fills_up_leaves_the_old_report_and_no_half_of_the_new",
    "A [board]": "board: test_figures_that_the_report_gives_are_taken_as_they_are "
    "test_kept_and_covered_are_added_up_and_never_blended "
    "test_where_there_is_nothing_but_a_selection_the_row_and_the_badge_say_so "
    "test_a_board_again_is_the_same_octets",
    # Nothing is cancelled that was not offered
    "A target that is not [local]": "safety: test_resources_and_the_flag_together_lift_it "
    "test_a_host_of_the_vendor_is_never_local; safety_peer: "
    "test_a_handler_elsewhere_takes_the_flag_and_the_ledger",
    "Whoever is at the other end": "safety_peer: test_no_byte_goes_to_a_peer_that_is_not_local "
    "test_no_byte_goes_over_a_proxy; safety: test_what_is_judged_is_what_is_connected_to",
    "An `unknown_id` is looked at": "safety_peer: "
    "test_an_unknown_id_that_names_something_is_not_cancelled "
    "test_an_unknown_id_that_no_get_shows_is_called_on_a_local_target_alone",
    "What may be changed": "ledger: test_what_is_sent_stands_in_the_ledger_already "
    "test_what_a_lost_answer_left_is_told_and_never_called_torn_down "
    "test_the_ledger_says_of_a_set_up_what_is_so",
    "`smoke` never touches": "verify: test_smoke_touches_nothing_that_exists "
    "test_deep_spends_its_budget_to_the_call test_the_gate_stays_within_the_quota_of_the_page; "
    "entrance: test_what_finding_the_way_in_took_stays_within_the_budget",
    "A URL that cannot be sent to": "safety: "
    "test_a_url_that_cannot_be_sent_to_is_told_by_file_and_line",
    "No more requests are under way": "far: "
    "test_several_are_under_way_and_never_more_than_the_plan_tells test_no_odd_server_fails_for_it",
    "The plan is known": "plan: test_what_is_planned_is_what_is_sent "
    "test_a_neighbour_that_is_not_to_be_had_is_done_without; cli: test_plan_sends_nothing",
    "Nothing is left in the working": "deep: test_the_working_directory_stays_as_it_was; ledger: "
    "test_a_local_target_has_none_unless_asked_for",
    "`judge`, `recheck`, `compare`": "cli: test_who_only_reads_opens_no_connection",
    # What goes out
    "The same version, spec": "verify: test_the_same_seed_sends_the_same_requests",
    "A request is never sent twice": "kept: test_what_is_no_answer_to_a_call_is_astray "
    "test_what_is_astray_is_held_against_the_connection_alone; transport_failures: "
    "test_closed_without_a_byte_and_not_sent_again test_reset_without_a_byte_and_not_sent_again; "
    "entrance: test_what_finding_the_way_in_took_is_counted_too; provision: "
    "test_a_create_call_that_is_put_off_is_made_again_when_the_wait_is_over",
    "An id that is empty, blank or dots": "request_specs: "
    "test_what_cannot_be_sent_is_refused_at_load test_no_drawn_id_leads_above_a_resource",
    "A parameter that the spec calls required": "request_shapes: "
    "test_each_call_carries_what_the_operation_asks_for; request_specs: "
    "test_credentials_stand_where_the_scheme_has_them "
    "test_what_cannot_be_sent_is_refused_at_load",
    "No redirect is followed": "transport_client: "
    "test_a_redirect_is_an_answer_and_is_not_followed "
    "test_neither_netrc_nor_the_url_adds_a_credential; fault_matrix: "
    "test_a_redirect_to_another_host_takes_no_token_along",
    "Every wait has a bound": "fault_matrix: test_each_kind_at_each_place "
    "test_each_kind_from_a_proxy_that_forwards test_each_kind_in_answer_to_connect; "
    "transport_failures: test_a_resolver_that_does_not_answer "
    "test_the_addresses_of_a_name_share_the_time "
    "test_whether_a_name_is_local_is_asked_once_of_a_resolver_that_does_not_answer; wait_budget: "
    "test_no_run_waits_longer_than_it_may test_create_calls_share_the_budget; transport_proxy: "
    "test_an_answer_to_connect_that_does_not_end_is_given_up; transport_tls: "
    "test_a_hang_above_tls_is_bounded",
    "A pipe that a path names": "pipes: test_a_pipe_that_nobody_writes_to "
    "test_a_report_into_a_pipe_that_nobody_reads; token_command: "
    "test_a_command_that_gives_no_token test_what_a_command_leaves_running_is_not_waited_for; "
    "tokens: test_a_credential_that_never_comes_to_an_end_is_not_waited_for",
    "An answer of more than 1 MiB": "transport_failures: test_a_body_past_the_cap; "
    "transport_wire: test_a_head_without_measure_is_not_read "
    "test_of_interim_responses_the_first_are_kept_and_the_others_counted; ledger: "
    "test_of_values_without_measure_the_id_is_kept; outside: test_what_is_no_id",
    "What is kept of the answers": "fault_matrix: "
    "test_the_whole_gate_of_three_contracts_stays_small; digest: "
    "test_of_a_large_look_no_part_is_kept_whole; transport_wire: "
    "test_of_interim_responses_the_first_are_kept_and_the_others_counted",
    "A gate of all three": "fault_matrix: test_the_whole_gate_of_three_contracts_stays_small "
    "test_a_gate_stays_small_wherever_it_is_hit test_what_is_long_is_not_quoted_again_and_again; "
    "redact_codings: test_the_time_to_mask_grows_as_the_text_does "
    "test_many_interim_responses_are_passed_over_in_one_go",
    "A file that people write": "large_input: test_a_target_file_without_measure "
    "test_a_baseline_without_measure",
    "What a proxy that forwards": "transport_proxy: "
    "test_what_a_forwarding_proxy_says_for_itself_is_no_answer_of_the_target "
    "test_a_proxy_that_wants_a_password_leaves_a_run_inconclusive",
    "Minted tokens hold": "clock: test_times_hold_by_both_clocks "
    "test_a_clock_that_differs_is_told_once test_a_conforming_server_passes_whatever_its_clock",
    # How it judges
    "Every byte that answers a call": "transport_client: test_every_wire_fault_reaches_the_judge; "
    "digest: test_digests_differ_as_the_values_do test_of_very_many_members_most_stand_as_one",
    "What a target, its handler": "outside: test_no_answer_breaks_the_judge "
    "test_no_answer_of_a_handler_raises test_no_value_of_a_header_raises "
    "test_no_bytes_raise_as_json; transport_proxy: test_no_answer_to_connect_raises; bad_input: "
    "test_a_recording_of_any_values test_a_recording_of_any_bytes",
    "A place that no schema": "lifecycle: test_what_fits_nothing_is_refused_in_one_line "
    "test_without_a_get_effects_are_not_exercised_and_said_to_be "
    "test_a_state_that_the_get_does_not_show_is_not_exercised",
    "Where a spec says how long": "lifecycle: test_an_effect_shows_within_its_time; timed: "
    "test_a_second_call_that_came_too_soon_is_not_judged",
    "The regular expressions": "large_input: test_a_pattern_of_a_spec_that_does_not_compile "
    "test_what_nobody_can_tell_is_neither_upheld_nor_violated",
    "Where the suite itself fails": "outside: test_what_nobody_foresaw_takes_nothing_along "
    "test_one_contract_that_crashes_leaves_the_others_their_verdicts",
    "A standard stream": "streams: test_a_verdict_is_the_same_whatever_the_streams "
    "test_who_only_prints_says_that_it_could_not test_ctrl_c_while_modules_load",
    "Data goes one way": "architecture: test_imports_follow_the_flow; replay: "
    "test_the_recording_of_a_run_comes_to_the_same_report; report_redact: "
    "test_coded_bytes_that_hide_a_secret_are_left_out",
    "A bundle is judged again": "bundle: "
    "test_a_bundle_comes_to_the_same_verdicts_byte_for_byte test_a_changed_file_is_told "
    "test_the_same_result_gives_the_same_bytes test_a_hostile_bundle_is_one_line",
    "A recording of somebody else": "recordings_property: "
    "test_nothing_is_said_that_the_whole_recording_does_not_say "
    "test_a_conforming_server_is_never_blamed",
    "What callers owe": "duties: test_it_is_judged_apart "
    "test_our_own_recordings_tell_nothing_of_callers "
    "test_a_part_of_our_own_recording_tells_nothing_of_callers "
    "test_no_recorder_makes_a_misuse_of_a_proper_call",
    "What a proxy answers in place": "transport_proxy: "
    "test_what_a_proxy_answers_is_no_answer_of_the_target",
    "Under load each": "locust: "
    "test_on_the_right_mock_a_master_and_two_workers_find_nothing "
    "test_what_breaks_under_load_alone_is_found; load: "
    "test_a_call_that_violates_is_told_at_once_and_again_in_the_whole",
    "Python names no endpoint": "verify: test_a_fourth_contract_is_one_yaml_file; mock_server: "
    "test_a_fourth_contract_is_one_file",
    "What `new-contract` writes": "new_contract: "
    "test_the_openapi_half_of_a_shipped_spec_gives_a_draft_that_holds; new_contract: "
    "test_a_page_gives_a_draft_that_holds; new_contract: "
    "test_a_draft_that_does_not_load_says_where_and_is_there_to_be_mended",
    "A run without `--contract`": "assignment_request: "
    "test_a_run_takes_three_contracts_without_being_asked; assignment_request: "
    "test_each_door_takes_it_by_its_name_alone",
    "The mock is built from": "architecture: test_imports_follow_the_flow",
    "The mock answers each status": "mock_answers: "
    "test_an_accepted_cancel_is_an_empty_object_with_its_header "
    "test_what_no_value_is_found_for_is_refused_with_its_place "
    "test_a_variant_keeps_to_documented_codes test_enums_are_kept_to_by_variants; "
    "unlike_proofs: test_an_entry_of_other_contracts_is_judged_rightly",
    "Where another status than 429": "repeated: "
    "test_another_status_tells_of_a_limit_where_it_says_so; documented: "
    "test_a_limit_is_told_by_its_documented_code",
    "A request that is sent again": "repeated: test_a_recorded_retry_is_no_second_call "
    "test_a_key_that_was_struck_out_tells_no_retry_from_a_second_call; documented: "
    "test_a_repeated_request_is_answered_as_before_and_done_once",
    "What a spec leaves out of `prove`": "mock_answers: "
    "test_what_names_nothing_is_refused_with_its_place test_reports_of_prove_list_what_is_left_out",
    "Where no page decides": "independent_variants: test_conforming_server_passes; verify: "
    "test_either_dialect_passes_and_a_pinned_one_fails_where_it_is_not_held",
    # Secrets
    "No token, no key": "redact_codings: test_no_window_survives_codings_and_cuts "
    "test_a_short_secret_is_known_in_any_case_but_whole_alone "
    "test_a_proxys_password_is_a_secret; secrets: test_no_secret_stands_in_any_output",
    "Masked are these forms": "redact_codings: test_each_coding_is_undone_within_each "
    "test_each_coding_is_undone_again_and_again "
    "test_what_is_coded_deeper_than_we_read_is_left_out",
    "In a response also over": "redact_codings: test_no_window_survives_in_any_output; "
    "report_redact: test_coded_bytes_that_hide_a_secret_are_left_out",
    "A message about a target file": "misplaced_secrets: "
    "test_a_misplaced_secret_is_not_quoted test_what_is_drawn_by_lot_is_not_quoted",
    "The `headers` of a target": "target_fields: "
    "test_each_goes_where_it_belongs_and_is_written_nowhere",
    "A token is read from its source": "tokens: "
    "test_a_token_is_renewed_before_it_expires_and_learned_before_it_is_used; cli: "
    "test_plan_sends_nothing; token_command: test_a_command_that_is_none",
}
# What no test can hold against the program: a limit that is named, a habit of those who change it.
UNTRIED = (
    "Not covered: a secret",
    "`cancel-contracts mock` is the exception",
    "Clause ids: never given",
    "Exit codes, flags, the keys",
)


def rows() -> list[str]:
    return [line[2:] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("- ")]


@cache
def names_in(name: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / f"test_{name}.py").read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_a_row_has_its_tests() -> None:
    found = {row: sum(map(row.startswith, (*KEPT, *UNTRIED))) for row in rows()}
    assert found
    assert [row for row, times in found.items() if times != 1] == [], "name the tests of these"


def test_no_row_of_the_table_is_gone() -> None:
    gone = [b for b in (*KEPT, *UNTRIED) if not any(row.startswith(b) for row in rows())]
    assert gone == []


def test_the_names_in_a_row_exist() -> None:
    for begins, kept in KEPT.items():
        for part in kept.split("; "):
            name, _, tests = part.partition(": ")
            assert set(tests.split()) - names_in(name) == set(), (begins, name)
