"""Writes the invitations of text campaigns into the outbox's form. I/O."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from domain.states import PostKind
from sms.invitations import fault
from sms.segments import Part, count, split
from sms.setting import AccountSetting
from store import outbox
from store.models import Campaign
from store.outbox import PartRow, Post
from store.text_campaigns import Invited, once


class Inviter:
    """Fulfils the dialler's TextWriter for the SMSC accounts of this server."""

    def __init__(self, accounts: Mapping[str, AccountSetting]) -> None:
        self._accounts = accounts

    def why_not(self, campaign: Campaign) -> str | None:
        """Why this server can't send the campaign's text, or None."""
        if campaign.account not in self._accounts:
            return f"this server has no SMSC account {campaign.account}"
        return fault(campaign.text or "", campaign.purpose)

    def posts(
        self, connection: Connection, campaign: Campaign, invited: Sequence[Invited]
    ) -> list[Post]:
        """A text to each of them; a long one's parts bear a reference of their own."""
        style = self._accounts[str(campaign.account)].long_style
        text, source = str(campaign.text), str(campaign.source)
        is_long = count(text, style).parts > 1
        short = () if is_long else _rows(split(text, reference=0, style=style))
        posts = []
        for each in invited:
            parts = short
            if is_long:
                reference = outbox.next_reference(connection, source, each.msisdn)
                parts = _rows(split(text, reference=reference, style=style))
            post = Post(
                account=str(campaign.account),
                msisdn=each.msisdn,
                source=source,
                kind=PostKind.INVITATION,
                text=text,
                parts=parts,
                once=once(campaign.id, each.target_id),
                campaign_id=campaign.id,
            )
            posts.append(post)
        return posts


def _rows(parts: Sequence[Part]) -> tuple[PartRow, ...]:
    return tuple(PartRow(p.payload, p.data_coding, p.esm_class, p.tlvs) for p in parts)
