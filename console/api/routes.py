"""Every way into the API, with what it needs, takes and answers. Pure."""

from http import HTTPStatus

from console.api import (
    about,
    answers,
    brakes,
    callbacks,
    campaigns,
    control_answers,
    exports,
    figures,
    import_answers,
    imports,
    limits,
    numbers,
    schema,
    steering,
    trials,
    why_not,
)
from console.api.route import ApiRoute
from console.api.schema import OfCampaign, PageAsked
from domain.roles import Permission

PREFIX = "/api/v1"
_READ, _OPERATE = Permission.CAMPAIGNS_READ, Permission.CAMPAIGNS_OPERATE
_SUPERVISE = Permission.CALLBACKS_SUPERVISE
_CAMPAIGN = "/campaigns/{campaign}"

ROUTES: tuple[ApiRoute, ...] = (
    ApiRoute("GET", "/openapi.json", about.get_document, None, answers.Document),
    ApiRoute("GET", "/health", about.get_health, Permission.HEALTH_READ, answers.Health),
    ApiRoute(
        *("GET", "/campaigns", campaigns.list_campaigns, _READ, answers.CampaignPage),
        query=PageAsked,
    ),
    ApiRoute(
        *("POST", "/campaigns", campaigns.create_campaign, _OPERATE, answers.Campaign),
        status=HTTPStatus.CREATED,
        body=schema.NewCampaign,
        takes_key=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("GET", _CAMPAIGN, campaigns.get_campaign, _READ, answers.Campaign),
        params=OfCampaign,
    ),
    ApiRoute(
        *("PATCH", _CAMPAIGN, campaigns.tune_campaign, _OPERATE, answers.Campaign),
        params=OfCampaign,
        body=schema.Tuning,
    ),
    *(
        ApiRoute(
            *("POST", f"{_CAMPAIGN}/{word}", handler, _OPERATE, answers.Moved),
            params=OfCampaign,
            may_conflict=True,
        )
        for word, handler in (
            ("start", campaigns.start_campaign),
            ("pause", campaigns.pause_campaign),
            ("stop", campaigns.stop_campaign),
        )
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/counts", campaigns.count_campaign, _READ, answers.Counts),
        params=OfCampaign,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/figures", figures.get_figures, _READ, control_answers.Figures),
        params=OfCampaign,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/why-not", why_not.tell_why_not, _READ, control_answers.WhyNot),
        params=OfCampaign,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/why-not", why_not.ask_why_not, _READ, control_answers.WhyNotNumber),
        params=OfCampaign,
        body=schema.NumberAsked,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/preview", steering.preview_tuning),
        *(_OPERATE, control_answers.Effects),
        params=OfCampaign,
        body=schema.Tuning,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/revert", steering.revert_tuning),
        *(_OPERATE, control_answers.Reverted),
        params=OfCampaign,
        takes_key=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/test-calls", trials.make_test_call, _OPERATE),
        answers.TrialCallShown,
        status=HTTPStatus.CREATED,
        params=OfCampaign,
        body=schema.TrialCallAsked,
        takes_key=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/recycle/preview", steering.preview_recycling),
        *(_OPERATE, control_answers.RecyclingLook),
        params=OfCampaign,
        body=schema.Recycling,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/recycle", steering.recycle_numbers),
        *(_OPERATE, control_answers.Recycled),
        params=OfCampaign,
        body=schema.Recycling,
        may_conflict=True,
    ),
    ApiRoute("GET", "/brakes", brakes.list_brakes, _READ, control_answers.Brakes),
    ApiRoute(
        *("POST", "/brakes/{brake}/override", brakes.override_brake),
        *(_OPERATE, control_answers.Brakes),
        params=schema.OfBrake,
        body=schema.Override,
    ),
    ApiRoute(
        *("POST", "/brakes/{brake}/release", brakes.release_brake),
        *(_OPERATE, control_answers.Brakes),
        params=schema.OfBrake,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/test-calls/{{test_call}}", trials.get_test_call, _OPERATE),
        answers.TrialCallShown,
        params=schema.OfTrialCall,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/imports", imports.list_imports, _READ, import_answers.ImportPage),
        params=OfCampaign,
        query=PageAsked,
    ),
    ApiRoute(
        *(
            "POST",
            f"{_CAMPAIGN}/imports",
            imports.import_numbers,
            _OPERATE,
            import_answers.Imported,
        ),
        status=HTTPStatus.CREATED,
        params=OfCampaign,
        query=schema.ImportAsked,
        is_upload=True,
        takes_key=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/imports/preview", imports.preview_import, _OPERATE),
        import_answers.ImportLook,
        params=OfCampaign,
        query=schema.ImportAsked,
        is_upload=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/imports/{{number}}/rejects", imports.get_rejects, _OPERATE, None),
        params=schema.OfImport,
        is_csv=True,
    ),
    ApiRoute(
        *("POST", f"{_CAMPAIGN}/imports/{{number}}/undo", imports.undo_import, _OPERATE),
        import_answers.Undone,
        params=schema.OfImport,
        may_conflict=True,
    ),
    ApiRoute(
        *("GET", f"{_CAMPAIGN}/attempts", exports.export_attempts, _READ, None),
        params=OfCampaign,
        query=schema.AttemptsAsked,
    ),
    *(
        ApiRoute(
            *("GET", f"{_CAMPAIGN}/{word}", handler, _READ, None),
            params=OfCampaign,
            query=schema.RowsAsked,
        )
        for word, handler in (
            ("registrations", exports.export_registrations),
            ("callbacks", exports.export_callbacks),
        )
    ),
    ApiRoute("GET", "/limits", limits.list_limits, _READ, answers.Limits),
    ApiRoute(
        *("PUT", "/limits/{scope}", limits.put_limits, _OPERATE, answers.Limits),
        params=schema.OfScope,
        body=schema.Caps,
    ),
    ApiRoute(
        *("POST", "/limits/{scope}/revert", limits.revert_limits, _OPERATE, answers.Limits),
        params=schema.OfScope,
        takes_key=True,
        may_conflict=True,
    ),
    ApiRoute(
        *("POST", "/numbers/look-up", numbers.look_up_number),
        *(Permission.NUMBERS_LOOK_UP, answers.Number),
        body=schema.NumberAsked,
    ),
    ApiRoute(
        *("GET", "/callbacks", callbacks.list_callbacks, _SUPERVISE, answers.CallbackPage),
        query=schema.CallbacksAsked,
    ),
    ApiRoute(
        *("GET", "/callbacks/figures", callbacks.count_callbacks),
        *(_SUPERVISE, answers.CallbackFigures),
    ),
    ApiRoute(
        *("GET", "/callbacks/forecast", callbacks.forecast_callbacks),
        *(_SUPERVISE, answers.CallbackForecast),
    ),
)
