"""How a database carries out the statements of an operation. I/O."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, event

from store.engine import Operation


async def plans(
    run: Callable[..., Awaitable[list[str]]], operation: Operation[..., Any], *args: Any
) -> list[str]:
    """The plan of each statement, in order; `run` is a store's `read` or `write`."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    def explained(connection: Connection) -> list[str]:
        event.listen(connection, "before_cursor_execute", note)
        operation(connection, *args)
        event.remove(connection, "before_cursor_execute", note)
        word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{word} {each}", values))
            for each, values in sent
        ]

    return await run(explained)
