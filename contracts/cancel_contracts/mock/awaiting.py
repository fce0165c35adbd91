"""What takes more than a gate to be judged rightly.

BY_DEEP are faults that `deep` catches and a gate, on some contract, does not. AWAITING is what the
suite does not judge rightly yet: faults that it passes, variants that it fails; `prove` leaves them
out unless they are named. Emptied as the suite learns to: an entry that is judged rightly on every
contract is taken out, and is held to be from then on.
"""

from __future__ import annotations

BY_DEEP: frozenset[str] = frozenset(
    {
        "across-finds-another-kind",
        "token-of-another-tenant-accepted",
        "pair-foreign-media-second-state-accepted",
        "error-names-the-owner",
        "pair-final-bad-body-performed",
        "pair-owner-last-state-refused",
        "pair-get-by-a-user-performs",
        "after-a-cancel-anybody-passes",
        "pair-unknown-bad-body-answered-500",
        "after-a-bad-body-answered-500",
        "body-writes-the-id",
        "body-says-the-state-and-is-believed",
        "body-says-the-owner-and-is-believed",
        "body-id-empty-accepted",
        "body-id-in-a-list-accepted",
        "body-id-in-an-object-accepted",
        "body-id-true-accepted",
        "unasked-body-says-the-state",
        "body-id-of-an-administrator-empty-answered-500",
        "text-nul-answered-500",
        "text-lone-surrogate-answered-500",
        "text-of-a-million-answered-500",
        "json-with-a-mark-answered-500",
        "json-with-a-name-twice-answered-500",
        "path-with-trailing-slash-needs-no-token",
        "path-with-doubled-slash-needs-no-token",
        "path-with-dot-segment-needs-no-token",
        "path-with-parameter-needs-no-token",
        "path-with-encoded-letters-needs-no-token",
        "path-with-up-and-down-needs-no-token",
        "path-with-matrix-extension-needs-no-token",
        "path-with-trailing-slash-answered-500",
        "path-with-parameter-answered-500",
        "path-in-another-case-needs-no-token",
        "forwarded-from-within-needs-no-permission",
        "chunks-to-http-1.0",
        "http-1.0-request-answered-500",
        "http-1.0-request-without-effect",
        "absolute-form-refused",
        "absolute-form-needs-no-token",
        "expect-continue-answered-500",
        "expect-continue-without-effect",
        "trace-shows-the-token",
        "trace-performs",
        "trace-answered-500",
        "unheard-of-method-performs",
        "unheard-of-method-answered-500",
        "unknown-in-http-1.0-answered-200",
        "origin-answered-500",
        "origin-without-effect",
        "id-as-a-pattern-accepted",
        "id-encoded-twice-accepted",
        "pair-odd-id-anonymous-answered-500",
        "conflict-names-another-caller",
        "header-names-the-caller",
        "crowd-lends-permission",
        "second-fills-what-the-first-left-out",
        "pair-application-final-cancelled",
        "body-wrong-type-accepted",
    }
)

AWAITING: frozenset[str] = frozenset(
    {
        "pair-anonymous-second-state-performed",
        "pair-no-permission-second-state-accepted",
        "pair-anothers-second-state-cancelled",
        "pair-no-accept-final-answered-500",
        "pair-chunked-no-permission-accepted",
        "pair-chunked-anonymous-accepted",
        "pair-chunked-final-cancelled",
        "pair-chunked-second-state-without-effect",
        "pair-chunked-unknown-as-text",
        "pair-delete-by-an-application-performs",
        "pair-patch-in-the-second-state-performs",
        "pair-put-without-a-token-performs",
        "pair-delete-on-final-deletes",
        "pair-unknown-by-an-application-answered-done",
        "pair-unknown-delete-creates",
        "second-cancel-by-an-application-answered-500",
        "second-cancel-by-the-owner-resurrects",
        "second-cancel-chunked-resurrects",
        "second-cancel-from-the-last-state-answered-500",
    }
)
