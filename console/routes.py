"""Every way in, with what it needs: tests go over each route × each role. Pure."""

from aiohttp import web

from console import (
    audit_page,
    campaign_acts,
    campaign_brakes,
    campaign_exports,
    campaign_import,
    campaign_list,
    campaign_new,
    campaign_new_text,
    campaign_number,
    campaign_recycle,
    campaign_text,
    campaign_trial,
    desk_calls,
    desk_page,
    desk_refusal,
    desk_result,
    health_page,
    limits_page,
    login_page,
    number_page,
    supervise_agent,
    supervise_callback,
    supervise_days,
    supervise_page,
    users_page,
)
from console.access import Open, Route
from console.parts import parts
from domain.roles import Permission


async def _asset(request: web.Request) -> web.StreamResponse:
    return await parts(request).assets.serve(request)


_LOOK_UP, _HEALTH = Permission.NUMBERS_LOOK_UP, Permission.HEALTH_READ
_WORK = Permission.CALLBACKS_WORK
_SUPERVISE = Permission.CALLBACKS_SUPERVISE
_CALLBACK = r"/supervise/{callback:\d{1,18}}"
_AGENT = r"/supervise/agents/{agent:\d{1,18}}"
_READ, _OPERATE = Permission.CAMPAIGNS_READ, Permission.CAMPAIGNS_OPERATE
_CAMPAIGN = r"/campaigns/{campaign:\d{1,9}}"
_BRAKE = _CAMPAIGN + r"/brakes/{brake:\d{1,18}}"
_IMPORT = _CAMPAIGN + r"/imports/{import:\d{1,18}}"
_EXPORT = "/{kind:attempts|registrations|callbacks}.{form:csv|xlsx}"
_LIMITS = r"/limits/{scope:global|trunk:[A-Za-z0-9_-]{1,32}}"
_USERS, _AUDIT = Permission.USERS_MANAGE, Permission.AUDIT_READ

ROUTES: tuple[Route, ...] = (
    Route("GET", "/static/{version}/{name}", _asset, Open.TO_EVERYBODY),
    Route("GET", "/login", login_page.show, Open.TO_EVERYBODY),
    Route("POST", "/login", login_page.log_in, Open.TO_EVERYBODY),
    Route("POST", "/language", login_page.choose_language, Open.TO_EVERYBODY),
    Route("GET", "/", login_page.home, Open.TO_USERS),
    Route("POST", "/logout", login_page.log_out, Open.TO_USERS),
    Route("GET", "/supervise", supervise_page.show, _SUPERVISE),
    Route("GET", "/supervise/stream", supervise_page.stream, _SUPERVISE),
    Route("GET", _CALLBACK, supervise_callback.show, _SUPERVISE),
    Route("POST", _CALLBACK + "/assign", supervise_callback.hand_over, _SUPERVISE),
    Route("POST", _CALLBACK + "/release", supervise_callback.take_back, _SUPERVISE),
    Route("GET", _AGENT, supervise_agent.show, _SUPERVISE),
    Route("POST", _AGENT + "/off", supervise_agent.send_off, _SUPERVISE),
    Route("GET", "/supervise/day", supervise_days.show_day, _SUPERVISE),
    Route("GET", "/supervise/day.csv", supervise_days.day_csv, _SUPERVISE),
    Route("GET", "/supervise/day.xlsx", supervise_days.day_xlsx, _SUPERVISE),
    Route("GET", "/supervise/report", supervise_days.show_report, _SUPERVISE),
    Route("GET", "/supervise/report.csv", supervise_days.report_csv, _SUPERVISE),
    Route("GET", "/supervise/report.xlsx", supervise_days.report_xlsx, _SUPERVISE),
    Route("GET", "/numbers", number_page.show, _LOOK_UP),
    Route("POST", "/numbers", number_page.look_up, _LOOK_UP),
    Route("GET", "/desk", desk_page.show, _WORK),
    Route("GET", "/desk/stream", desk_page.stream, _WORK),
    Route("POST", "/desk/duty", desk_page.set_duty, _WORK),
    Route("POST", "/desk/next", desk_page.take, _WORK),
    Route("POST", "/desk/give-back", desk_page.give_back, _WORK),
    Route("POST", "/desk/call", desk_calls.call, _WORK),
    Route("POST", "/desk/hang-up", desk_calls.hang_up, _WORK),
    Route("POST", "/desk/opt-out", desk_refusal.refuse, _WORK),
    Route("GET", "/desk/wards", desk_result.wards, _WORK),
    Route("POST", "/desk/result", desk_result.send, _WORK),
    Route("GET", "/campaigns", campaign_list.show, _READ),
    Route("GET", "/campaigns/stream", campaign_list.stream, _READ),
    Route("GET", "/campaigns/new", campaign_new.show, _OPERATE),
    Route("POST", "/campaigns/new", campaign_new.make, _OPERATE),
    Route("GET", "/campaigns/new-text", campaign_new_text.show, _OPERATE),
    Route("POST", "/campaigns/new-text", campaign_new_text.make, _OPERATE),
    Route("POST", "/campaigns/new-text/size", campaign_new_text.size, _OPERATE),
    Route("GET", _CAMPAIGN, campaign_text.show, _READ),
    Route("GET", _CAMPAIGN + "/stream", campaign_text.stream, _READ),
    Route("GET", _CAMPAIGN + "/stop", campaign_acts.confirm_stop, _OPERATE),
    Route("POST", _CAMPAIGN + "/{move:start|pause|stop}", campaign_acts.move, _OPERATE),
    Route("GET", _CAMPAIGN + "/tune", campaign_text.preview, _OPERATE),
    Route("POST", _CAMPAIGN + "/tune", campaign_acts.tune, _OPERATE),
    Route("POST", _CAMPAIGN + "/revert", campaign_acts.revert, _OPERATE),
    Route("GET", _CAMPAIGN + "/number", campaign_number.show, _READ),
    Route("POST", _CAMPAIGN + "/number", campaign_number.ask, _READ),
    Route("POST", _BRAKE + "/override", campaign_brakes.override, _OPERATE),
    Route("POST", _BRAKE + "/release", campaign_brakes.release, _OPERATE),
    Route("GET", _CAMPAIGN + "/recycle", campaign_recycle.show, _OPERATE),
    Route("POST", _CAMPAIGN + "/recycle", campaign_recycle.recycle, _OPERATE),
    Route("GET", _CAMPAIGN + "/test-call", campaign_trial.show, _OPERATE),
    Route("GET", _CAMPAIGN + "/test-call/stream", campaign_trial.stream, _OPERATE),
    Route("POST", _CAMPAIGN + "/test-call", campaign_trial.ask, _OPERATE),
    Route("GET", _CAMPAIGN + _EXPORT, campaign_exports.send, _READ),
    Route("GET", _CAMPAIGN + "/import", campaign_import.show, _OPERATE),
    Route("GET", _CAMPAIGN + "/import/stream", campaign_import.stream, _OPERATE),
    Route("POST", _CAMPAIGN + "/import", campaign_import.upload, _OPERATE, takes_file=True),
    Route("POST", _CAMPAIGN + "/import/confirm", campaign_import.confirm, _OPERATE),
    Route("POST", _CAMPAIGN + "/import/discard", campaign_import.discard, _OPERATE),
    Route("GET", _IMPORT + "/rejects.csv", campaign_import.rejects, _OPERATE),
    Route("GET", _IMPORT + "/undo", campaign_import.confirm_undo, _OPERATE),
    Route("POST", _IMPORT + "/undo", campaign_import.undo, _OPERATE),
    Route("GET", "/limits", limits_page.show, _READ),
    Route("GET", _LIMITS + "/change", limits_page.preview, _OPERATE),
    Route("POST", _LIMITS, limits_page.put, _OPERATE),
    Route("POST", _LIMITS + "/revert", limits_page.revert, _OPERATE),
    Route("GET", "/health", health_page.show, _HEALTH),
    Route("GET", "/health/stream", health_page.stream, _HEALTH),
    Route("GET", "/users", users_page.show, _USERS),
    Route("GET", "/users/new", users_page.show_new, _USERS),
    Route("POST", "/users/new", users_page.add, _USERS),
    Route("POST", r"/users/{id:\d{1,18}}/deactivate", users_page.switch_off, _USERS),
    Route("POST", r"/users/{id:\d{1,18}}/activate", users_page.switch_on, _USERS),
    Route("GET", r"/users/{id:\d{1,18}}/change", users_page.show_change, _USERS),
    Route("POST", r"/users/{id:\d{1,18}}/change", users_page.change, _USERS),
    Route("GET", r"/users/{id:\d{1,18}}/password", users_page.show_password, _USERS),
    Route("POST", r"/users/{id:\d{1,18}}/password", users_page.set_password, _USERS),
    Route("GET", "/audit", audit_page.show, _AUDIT),
)
