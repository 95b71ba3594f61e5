"""The operator's words for what the store and the dialler name by one. Pure."""

from console.messages import marked as _

CAMPAIGN_WORDS: dict[str, str] = {
    # states of campaigns
    "campaign_state_draft": _("Draft"),
    "campaign_state_running": _("Running"),
    "campaign_state_paused": _("On hold"),
    "campaign_state_stopped": _("Stopped"),
    "campaign_state_finished": _("Finished"),
    # why a campaign contacts people
    "advertising": _("Advertising"),
    "customer_care": _("Customer care"),
    "transactional": _("Transactional"),
    # what happened to a campaign, and who did it
    "campaign_created": _("Campaign made"),
    "campaign_running": _("Campaign started"),
    "campaign_paused": _("Campaign paused"),
    "campaign_stopped": _("Campaign stopped for good"),
    "campaign_finished": _("Campaign finished"),
    "campaign_tuned": _("Settings changed"),
    "campaign_reverted": _("Last change reverted"),
    "campaign_exported": _("Data downloaded"),
    "audience_imported": _("Audience imported"),
    "audience_undone": _("Audience import undone"),
    "audience_uploaded": _("Audience file sent"),
    "audience_import_discarded": _("Audience file thrown away"),
    # what else targets and attempts are
    "disposition_open": _("In the air"),
    "true": _("yes"),
    "false": _("no"),
    "audience_import_confirmed": _("Audience import confirmed"),
    # verdicts of an import, and what its columns are taken for
    "import_added": _("New numbers"),
    "import_unreadable": _("Rows that can't be read"),
    "import_twice_in_file": _("Twice in the file"),
    "import_in_campaign": _("In the campaign already"),
    "import_not_voice": _("No voice subscriber"),
    "import_not_active": _("Not active both ways"),
    "import_not_4g_handset": _("No 4G handset"),
    "import_other_os": _("Neither iOS nor Android"),
    "import_sim_is_4g": _("Has a 4G SIM already"),
    "import_not_in_vlr": _("Not in the network for 7 days running"),
    "import_no_list": _("On neither list"),
    "import_not_extracted": _("Without a time of extraction"),
    "import_unclear": _("Eligibility can't be read"),
    "import_unknown_province": _("New, of an unknown province"),
    "import_unknown_district": _("New, of an unknown district"),
    "import_also_in_other_campaigns": _("New, in other running campaigns too"),
    "column_msisdn": _("number"),
    "column_province": _("province"),
    "column_district": _("district"),
    "column_list_no": _("list"),
    "column_judged": _("judged by"),
    # columns of an act
    "pairs": _("settings"),
    "kind": _("kind"),
    "form": _("form"),
    "file": _("file"),
    "attempts": _("attempts"),
    "registrations": _("registrations"),
    "callbacks": _("call-backs"),
}
