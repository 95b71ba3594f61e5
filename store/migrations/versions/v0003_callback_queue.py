"""Call-backs: their queue, claims, calls, addresses; agents' duty; the day's report. I/O."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = UtcDateTime()

_TABLES = [
    "agents",
    "duty_spans",
    "sla_reports",
    "addresses",
    "callback_claims",
    "callback_attempts",
]
_UNFINISHED = "(state = 'open' OR state = 'claimed')"
_OUTCOMES = (
    "'confirmed', 'advised', 'call_later', 'no_answer', 'busy', 'switched_off', 'wrong_number', "
    "'not_the_user', 'refused', 'has_4g_sim', 'outside_area', 'will_go_to_shop'"
)
_RULES = {
    "state_is_known": "state IN ('open', 'claimed', 'done', 'unreachable', 'cancelled')",
    "outcome_is_known": f"outcome IN ({_OUTCOMES})",
    "warned_is_known": "warned IN ('broken', 'late', 'at_risk', 'due_today', 'fresh')",
    "appointment_slot_is_known": "appointment_slot IN ('morning', 'afternoon', 'evening')",
    "claimed_has_agent": (
        "(state = 'claimed') = (claim_id IS NOT NULL) "
        "AND (claim_id IS NULL) = (claimed_by IS NULL) "
        "AND (claim_id IS NULL) = (claimed_at IS NULL) "
        "AND (claim_id IS NULL) = (claimed_until IS NULL)"
    ),
    "closed_has_time": f"{_UNFINISHED} = (closed_at IS NULL)",
    "done_has_outcome": "state <> 'done' OR outcome IS NOT NULL",
    "appointment_is_whole": "(appointment_day IS NULL) = (appointment_slot IS NULL)",
}
_MOVES = (
    "'open>claimed', 'open>unreachable', 'open>cancelled', "
    "'claimed>open', 'claimed>done', 'claimed>cancelled'"
)
_MOVES_ON_SQLITE = f"""
CREATE TRIGGER callbacks_moves BEFORE UPDATE OF state ON callbacks
WHEN NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({_MOVES})
BEGIN SELECT RAISE(ABORT, 'a call-back makes no such move'); END
"""
_MOVES_ON_POSTGRESQL = (
    """
    CREATE FUNCTION callbacks_moves() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a call-back makes no such move'; END $$
    """,
    f"""
    CREATE TRIGGER callbacks_moves BEFORE UPDATE ON callbacks FOR EACH ROW
    WHEN (NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({_MOVES}))
    EXECUTE FUNCTION callbacks_moves()
    """,
)


def upgrade() -> None:
    """Widen the call-backs, then make the tables that lean on them."""
    _widen_callbacks()
    _index_callbacks()
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_MOVES_ON_SQLITE)
    else:
        for statement in _MOVES_ON_POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made. Call-backs that were `unreachable` become `cancelled`."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    _drop_moves()
    _narrow_callbacks()


def _drop_moves() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER callbacks_moves")
    else:
        op.execute("DROP TRIGGER callbacks_moves ON callbacks")
        op.execute("DROP FUNCTION callbacks_moves()")


def _widen_callbacks() -> None:
    op.drop_index("uq_callbacks_open_msisdn_kind", "callbacks")
    with op.batch_alter_table("callbacks", copy_from=_before()) as batch:
        for column in _new_columns():
            batch.add_column(column)
        batch.drop_constraint(op.f("ck_callbacks_state_is_known"), type_="check")
    # What was closed before this version left its time in the history only.
    op.execute(
        """
        UPDATE callbacks SET closed_at = coalesce(
            (SELECT max(events.at) FROM events
             WHERE events.msisdn = callbacks.msisdn AND events.kind = 'callback_cancelled'),
            requested_at
        ), outcome = CASE WHEN state = 'done' THEN 'confirmed' END
        WHERE state <> 'open'
        """
    )
    with op.batch_alter_table("callbacks", copy_from=_widened()) as batch:
        batch.alter_column("attempts_made", server_default=None)
        for name, rule in _RULES.items():
            batch.create_check_constraint(op.f(f"ck_callbacks_{name}"), rule)


def _narrow_callbacks() -> None:
    for name in _INDEXES:
        op.drop_index(name, "callbacks")
    with op.batch_alter_table("callbacks", copy_from=_widened(*_rules())) as batch:
        for name in _RULES:
            batch.drop_constraint(op.f(f"ck_callbacks_{name}"), type_="check")
    op.execute("UPDATE callbacks SET state = 'open' WHERE state = 'claimed'")
    op.execute("UPDATE callbacks SET state = 'cancelled' WHERE state = 'unreachable'")
    with op.batch_alter_table("callbacks", copy_from=_widened()) as batch:
        for column in _new_columns():
            batch.drop_column(column.name)
        batch.create_check_constraint(
            op.f("ck_callbacks_state_is_known"), "state IN ('open', 'done', 'cancelled')"
        )
    _index_open("state = 'open'")


def _rules() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(rule, name=op.f(f"ck_callbacks_{name}")) for name, rule in _RULES.items()
    ]


def _before() -> sa.Table:
    """The call-backs as revision 0001 made them: SQLite copies the table to change it."""
    return _callbacks(
        sa.CheckConstraint(
            "state IN ('open', 'done', 'cancelled')", name=op.f("ck_callbacks_state_is_known")
        )
    )


def _widened(*rules: sa.CheckConstraint) -> sa.Table:
    return _callbacks(*_new_columns(), *rules)


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("ready_at", Utc, nullable=True),
        sa.Column("attempts_made", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("outcome_at", Utc, nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_by", BigId, nullable=True),
        sa.Column("claimed_at", Utc, nullable=True),
        sa.Column("claimed_until", Utc, nullable=True),
        sa.Column("closed_at", Utc, nullable=True),
        sa.Column("appointment_day", sa.Date(), nullable=True),
        sa.Column("appointment_slot", sa.String(length=24), nullable=True),
        sa.Column("warned", sa.String(length=24), nullable=True),
    ]


def _callbacks(*more: sa.Column[Any] | sa.CheckConstraint) -> sa.Table:
    return sa.Table(
        "callbacks",
        sa.MetaData(),
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.String(length=72), nullable=False),
        sa.Column("requested_at", Utc, nullable=False),
        sa.Column("target_at", Utc, nullable=False),
        sa.Column("promise_at", Utc, nullable=False),
        sa.Column("registration_id", BigId, nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.CheckConstraint(
            "kind <> 'confirm' OR registration_id IS NOT NULL",
            name=op.f("ck_callbacks_confirm_has_why"),
        ),
        sa.CheckConstraint(
            "kind IN ('confirm', 'advice')", name=op.f("ck_callbacks_kind_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_callbacks_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_callbacks_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("source_id", "kind", name=op.f("uq_callbacks_source_id_kind")),
        sa.Index("ix_callbacks_campaign_id", "campaign_id"),
        *more,
    )


_INDEXES: dict[str, tuple[tuple[str, ...], bool, str | None]] = {
    "uq_callbacks_open_msisdn_kind": (("msisdn", "kind"), True, _UNFINISHED),
    "uq_callbacks_claimed_msisdn": (("msisdn",), True, "state = 'claimed'"),
    "uq_callbacks_claimed_by": (("claimed_by",), True, "state = 'claimed'"),
    "ix_callbacks_queue": (("target_at", "promise_at", "id", "ready_at"), False, _UNFINISHED),
    "ix_callbacks_unscheduled": (("id",), False, "state = 'open' AND ready_at IS NULL"),
    "ix_callbacks_registration_id": (("registration_id",), False, None),
    "ix_callbacks_msisdn": (("msisdn",), False, None),
    "ix_callbacks_closed_at": (("closed_at",), False, "closed_at IS NOT NULL"),
}
"""By name: the columns, whether unique, and of which rows."""


def _index_callbacks() -> None:
    for name, (columns, is_unique, where) in _INDEXES.items():
        condition = None if where is None else sa.text(where)
        op.create_index(
            name,
            "callbacks",
            list(columns),
            unique=is_unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )


def _index_open(where: str) -> None:
    op.create_index(
        "uq_callbacks_open_msisdn_kind",
        "callbacks",
        ["msisdn", "kind"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _create_tables() -> None:
    op.create_table(
        "agents",
        sa.Column("agent_id", BigId, autoincrement=False, nullable=False),
        sa.Column("duty", sa.String(length=24), nullable=False),
        sa.Column("duty_since", Utc, nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "duty = 'paused' OR pause_reason IS NULL", name=op.f("ck_agents_reason_is_of_a_pause")
        ),
        sa.CheckConstraint("duty IN ('off', 'on', 'paused')", name=op.f("ck_agents_duty_is_known")),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agents")),
    )
    op.create_table(
        "duty_spans",
        sa.Column("id", BigId, nullable=False),
        sa.Column("agent_id", BigId, nullable=False),
        sa.Column("duty", sa.String(length=24), nullable=False),
        sa.Column("since", Utc, nullable=False),
        sa.Column("until", Utc, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "duty = 'on' OR duty = 'paused'", name=op.f("ck_duty_spans_duty_is_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_spans")),
    )
    op.create_index("ix_duty_spans_since", "duty_spans", ["since"], unique=False)
    op.create_index(
        "uq_duty_spans_open",
        "duty_spans",
        ["agent_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "sla_reports",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("made_at", Utc, nullable=False),
        sa.Column("requested", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("done_by_target", sa.Integer(), nullable=False),
        sa.Column("done_by_promise", sa.Integer(), nullable=False),
        sa.Column("done_late", sa.Integer(), nullable=False),
        sa.Column("unreachable", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("targets_missed", sa.Integer(), nullable=False),
        sa.Column("promises_broken", sa.Integer(), nullable=False),
        sa.Column("open_at_end", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirm', 'advice')", name=op.f("ck_sla_reports_kind_is_known")
        ),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("pk_sla_reports")),
    )
    op.create_table(
        "addresses",
        sa.Column("callback_id", BigId, nullable=False),
        sa.Column("confirmed_at", Utc, nullable=False),
        sa.Column("confirmed_by", BigId, nullable=False),
        sa.Column("scheme", sa.String(length=24), nullable=False),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("contact_msisdn", sa.String(length=16), nullable=True),
        sa.Column("house_number", sa.Text(), nullable=True),
        sa.Column("alley", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("residents_group", sa.Text(), nullable=True),
        sa.Column("hamlet", sa.Text(), nullable=True),
        sa.Column("ward", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("landmark", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("at_home", sa.Text(), nullable=True),
        sa.Column("best_slot", sa.String(length=24), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "best_slot IN ('morning', 'afternoon', 'evening')",
            name=op.f("ck_addresses_best_slot_is_known"),
        ),
        sa.CheckConstraint(
            "scheme IN ('vn-2021', 'vn-2025')", name=op.f("ck_addresses_scheme_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_addresses_callback_id")
        ),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_addresses")),
    )
    op.create_table(
        "callback_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_id", BigId, nullable=False),
        sa.Column("agent_id", BigId, nullable=False),
        sa.Column("claimed_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("ending", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("later_at", Utc, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome IS NOT NULL) = (ending IS NOT NULL AND ending = 'result')",
            name=op.f("ck_callback_claims_result_has_outcome"),
        ),
        sa.CheckConstraint(
            "ending IN ('result', 'given_back', 'off_duty', 'expired', 'released', 'cancelled')",
            name=op.f("ck_callback_claims_ending_is_known"),
        ),
        sa.CheckConstraint(
            "outcome IN ('confirmed', 'advised', 'call_later', 'no_answer', 'busy', 'switched_off', 'wrong_number', 'not_the_user', 'refused', 'has_4g_sim', 'outside_area', 'will_go_to_shop')",
            name=op.f("ck_callback_claims_outcome_is_known"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_callback_claims_ended_has_why")
        ),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_callback_claims_callback_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_claims")),
    )
    op.create_index(
        "ix_callback_claims_callback_id", "callback_claims", ["callback_id"], unique=False
    )
    op.create_index("ix_callback_claims_ended_at", "callback_claims", ["ended_at"], unique=False)
    op.create_table(
        "callback_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_id", BigId, nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", BigId, nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("agent_ringing_at", Utc, nullable=True),
        sa.Column("agent_answered_at", Utc, nullable=True),
        sa.Column("subscriber_dialled_at", Utc, nullable=True),
        sa.Column("subscriber_answered_at", Utc, nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("hangup_cause", sa.SmallInteger(), nullable=True),
        sa.Column("tech_cause", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('answered', 'no_answer', 'busy', 'rejected', 'invalid_number', 'unreachable', 'congestion', 'not_dialled', 'unknown', 'unexpected_cause')",
            name=op.f("ck_callback_attempts_disposition_is_known"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (disposition IS NULL)",
            name=op.f("ck_callback_attempts_ended_has_disposition"),
        ),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_callback_attempts_callback_id")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["callback_claims.id"], name=op.f("fk_callback_attempts_claim_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_attempts")),
    )
    op.create_index(
        "ix_callback_attempts_callback_id", "callback_attempts", ["callback_id"], unique=False
    )
    op.create_index(
        "ix_callback_attempts_started_at", "callback_attempts", ["started_at"], unique=False
    )
    op.create_index(
        "uq_callback_attempts_open",
        "callback_attempts",
        ["callback_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
