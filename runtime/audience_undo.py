"""Undoes an import, all of it or nothing; run again, it goes on where it was cut off. I/O."""

from domain.clock import Clock
from domain.errors import InputError
from domain.states import ImportState
from store import campaigns, import_undo, imports
from store.engine import Store
from store.import_undo import Span
from store.models import Import


async def undo_import(store: Store, import_id: int, clock: Clock) -> int:
    """Remove the numbers that an import brought; give how many there were.

    Raises InputError: there is no such import, it is undone already, or one of its numbers has
    been called or invited, in which case all stay.
    """
    chosen = await store.read(imports.by_id, import_id)
    was_undone = chosen.state == ImportState.UNDONE
    if not was_undone:
        await _withdraw(store, chosen, clock)
    span = await store.read(import_undo.span_of, import_id)
    removed = 0
    for piece in span.pieces():
        removed += await store.write(import_undo.remove, import_id, piece)
    if was_undone and not removed:
        raise InputError(f"import {import_id} is undone already")
    return removed


async def _withdraw(store: Store, chosen: Import, clock: Clock) -> None:
    """Withdraw every number, then mark the import; a loader that still runs is caught up with."""
    campaign = await store.read(campaigns.by_name, str(chosen.campaign_id))
    first = 0
    while True:
        span = await store.read(import_undo.span_of, chosen.id)
        for piece in Span(max(first, span.first), span.end).pieces():
            if not await store.write(import_undo.withdraw, chosen.id, piece):
                await _put_back(store, chosen, span)
                raise InputError(
                    f"import {chosen.id} can't be undone: numbers of it have been called or "
                    "invited already; nothing was removed"
                )
        first = span.end
        if await store.write(import_undo.mark_undone, chosen, campaign, first, clock()):
            return


async def _put_back(store: Store, chosen: Import, span: Span) -> None:
    for piece in span.pieces():
        await store.write(import_undo.put_back, chosen.id, piece)
