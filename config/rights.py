"""Who may do what: the groups of staff, each with the rights that it begins with. Data; `accounts/roles.py` gives them.

A right is "app.codename", or a pattern of several: what is added later under such a name reaches the group by itself.
A person may be in several groups. What nobody finds here (accounts of staff, groups) is for superusers alone.
"""

# Everything that happened, in lists and pages; people only by initials (docs/adr/0016-rights.md).
_SEE = (
    "payments.view_*", "payments.diagnose*", "registrations.view_*", "modules_access.view_*",
    "modules_access.diagnose_access", "accounts.view_user", "accounts.view_shop",
)  # fmt: skip
_SEE_PEOPLE = (*_SEE, "accounts.view_personal_data")
# What is sold: no money of anybody's, but what it will cost.
_OFFER = (
    "registrations.add_activity", "registrations.change_activity", "modules_access.add_module",
    "modules_access.change_module",
)  # fmt: skip

STAFF_GROUPS: dict[str, tuple[str, ...]] = {
    # Looks things up for people who write or call.
    "support": _SEE,
    # Keeps things running: events, places, access.
    "operator": (
        *_SEE_PEOPLE, *_OFFER,
        "payments.replay_*", "payments.resync_*",
        "registrations.free_place", "registrations.resend_message", "registrations.correct_address",
        "registrations.offer_place", "registrations.print_participants", "registrations.export_participants",
        "modules_access.repair_access", "modules_access.grant_access", "modules_access.extend_access",
        "modules_access.revoke_access", "modules_access.add_accesstoken", "modules_access.revoke_token",
    ),
    # Decides about money.
    "finance": (
        *_SEE_PEOPLE,
        "payments.refund_*", "payments.retry_refund", "payments.resend_effect", "payments.cancel_subscription",
        "payments.end_subscription", "payments.give_access_back", "payments.give_place", "payments.accept_*",
        "payments.link_*", "payments.dismiss_*", "payments.evidence_dispute", "payments.export_*",
        "payments.add_plan", "payments.change_plan", "registrations.export_participants",
    ),
    # Answers for the site.
    "admin": (
        *_SEE_PEOPLE, *_OFFER,
        "payments.add_heldtype", "payments.release_heldtype", "payments.*incident*",
        "payments.add_plan", "payments.change_plan", "payments.delete_plan",
        "registrations.call_off_activity",
        "modules_access.delete_module", "modules_access.add_planopening", "modules_access.change_planopening",
        "modules_access.add_servicekey", "modules_access.rotate_servicekey", "modules_access.revoke_servicekey",
        "accounts.change_shop",
        "accounts.add_user", "accounts.change_user", "accounts.export_personal_data", "accounts.erase_personal_data",
        "auth.view_group",
    ),
}  # fmt: skip
# Rights that let somebody do several things until each of them had a right of its own: who had one keeps them all.
FORMER_RIGHTS: dict[str, tuple[str, ...]] = {
    "payments.add_refund": (
        "payments.refund_order", "payments.refund_subscription", "payments.refund_orderexception",
        "payments.retry_refund",
    ),
    "payments.change_orderexception": (
        "payments.resend_effect", "payments.cancel_subscription", "payments.end_subscription",
        "payments.give_access_back", "payments.give_place", "payments.dismiss_orderexception",
    ),
    "payments.resync_subscription": ("payments.resync_customer",),
    "payments.delete_heldtype": ("payments.release_heldtype",),
    "registrations.delete_registration": ("registrations.free_place",),
    "registrations.change_registration": ("registrations.resend_message", "registrations.correct_address"),
    "registrations.change_waitingentry": ("registrations.offer_place",),
    "registrations.delete_activity": ("registrations.call_off_activity",),
    "modules_access.diagnose_access": ("modules_access.repair_access",),
    "modules_access.add_servicekey": ("modules_access.rotate_servicekey",),
    "modules_access.change_servicekey": ("modules_access.revoke_servicekey",),
}  # fmt: skip
