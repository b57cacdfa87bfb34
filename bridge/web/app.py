"""The Flask application: every protocol through the door, health beside it, errors in JSON."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from bridge.assembly import Bridge
from bridge.core.exchange import Reply
from bridge.core.model import Registry
from bridge.errors import BridgeError, InternalError, InvalidRequest, MethodNotAllowed, UnknownPath
from bridge.protocols.manifest import refuse as refuse_plainly
from bridge.web.answers import NO_STORE, signed, status_line
from bridge.web.carrier import Carrier
from bridge.web.door import Door, report
from bridge.web.environ import request_id
from bridge.web.health import Health


class PlainResponse(Response):
    """Flask's response without a content type of its own: ours always say theirs."""

    default_mimetype = None


def create_app(bridge: Bridge) -> Flask:
    """Return the application that serves `bridge`; `app.extensions["toolbridge"]` is its carrier."""
    app = Flask("toolbridge", static_folder=None)
    app.response_class = PlainResponse
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # A redirect would be an HTML page, and a client that follows it may lose its body.
    app.url_map.merge_slashes = False
    door, health = Door(bridge), Health(bridge)
    _mount(app, door)

    def plain(reply: Reply) -> Response:
        return _respond(signed(reply, request_id(request.environ), bridge.current.registry.version))

    app.add_url_rule("/health/live", "live", lambda: plain(health.live()))
    app.add_url_rule("/health/ready", "ready", lambda: plain(health.ready(request.environ)))
    app.register_error_handler(Exception, lambda error: plain(_refused(error, bridge.current.registry)))
    carrier = Carrier(bridge, door, app.wsgi_app)
    app.extensions["toolbridge"] = carrier
    app.wsgi_app = carrier  # type: ignore[method-assign]
    return app


def _mount(app: Flask, door: Door) -> None:
    """Lead every protocol's paths to the door, whatever the method: the door words a wrong one itself."""
    app.view_functions["door"] = lambda **_: _respond(door.answer(request.environ))
    for path in door.paths:
        app.url_map.add(Rule(path, endpoint="door"))
        app.url_map.add(Rule(f"/sets/<toolset>{path}", endpoint="door"))


def _respond(reply: Reply) -> Response:
    return PlainResponse(reply.body, status_line(reply.status), list(reply.headers))


def _refused(error: Exception, registry: Registry) -> Reply:
    """Word what Flask itself refuses, and what should never happen, in the plain envelope."""
    ours: BridgeError = InternalError()
    if not isinstance(error, HTTPException):
        report(request_id(request.environ), registry)
    elif error.code == 404:
        ours = UnknownPath()
    elif error.code == 405:
        ours = MethodNotAllowed(sorted(getattr(error, "valid_methods", None) or ()))
    elif error.code is not None and error.code < 500:
        ours = InvalidRequest()
    refused = refuse_plainly(ours, {})
    return Reply(refused.status, (*refused.headers, NO_STORE), refused.body)
