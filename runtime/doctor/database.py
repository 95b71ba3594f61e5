"""The database: whether it answers, and has the schema of this version. I/O."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from sqlalchemy.engine import make_url

from domain.errors import StoreUnavailable, TstnError
from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings, without_password
from store.engine import Store, open_store
from store.revision import current_revision, head, is_known

NOT_LOOKED_AT = "not looked at: the database comes first"
_NAME, _SCHEMA = "database", "schema"


@asynccontextmanager
async def looked_at(settings: Settings) -> AsyncIterator[tuple[list[CheckLine], Store | None]]:
    """The lines about the database; and the store, where its rows can be read."""
    url = settings.store.url
    file = make_url(url).database if url.startswith("sqlite") else None
    if file is not None and not Path(file).exists():  # noqa: ASYNC240 - nothing else waits
        todo = "`tstn migrate` makes it; or check [store] url"
        yield [CheckLine(_NAME, Verdict.FAIL, f"there is no file {file}", todo)], None
        return
    try:
        store = open_store(url)
    except TstnError as error:
        yield [CheckLine(_NAME, Verdict.FAIL, str(error), "correct [store] url")], None
        return
    try:
        lines = await _ask(store, without_password(url))
        is_well = all(line.verdict is Verdict.OK for line in lines)
        yield lines, store if is_well else None
    finally:
        await store.close()


async def _ask(store: Store, shown: str) -> list[CheckLine]:
    began = monotonic()
    try:
        revision = await current_revision(store)
    except StoreUnavailable as error:
        todo = "start the database, or check [store] url, its user and password"
        return [CheckLine(_NAME, Verdict.FAIL, str(error), todo)]
    took = (monotonic() - began) * 1000
    answers = CheckLine(_NAME, Verdict.OK, f"{shown} answers in {took:.0f} ms")
    return [answers, judge_revision(revision, head())]


def judge_revision(stands: str | None, needed: str) -> CheckLine:
    """What the revision of a database means for this version."""
    if stands == needed:
        return CheckLine(_SCHEMA, Verdict.OK, f"revision {stands}")
    if stands is None:
        return CheckLine(_SCHEMA, Verdict.FAIL, "there are no tables yet", "run `tstn migrate`")
    if not is_known(stands):
        says = f"revision {stands} is that of a newer version than this one, which has {needed}"
        return CheckLine(_SCHEMA, Verdict.FAIL, says, "install that version again")
    says = f"revision {stands}, this version needs {needed}"
    return CheckLine(_SCHEMA, Verdict.FAIL, says, "`tstn backup DIR`, then `tstn migrate`")
