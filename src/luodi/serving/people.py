"""The plain routes: ask a model, and tell it later what would have been right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from luodi.contracts import Field, JsonValue, RegistryError, RequestError, Schema, say
from luodi.serving.desk import Question, Rows
from luodi.serving.protocol import EXPLAIN, counted_to_explain, truth_fields
from luodi.serving.replies import aside, crowded, marked, read_body, reply, request_id
from luodi.serving.settings import Limits
from luodi.serving.strict_json import read_json
from luodi.traffic.feedback import Feedback

if TYPE_CHECKING:
    from luodi.serving.router import Served
    from luodi.serving.service import Logs, Service

_NUMBER = 256
"""Characters of a request's id in feedback."""


async def predict(service: Service, request: Request) -> Response:
    """POST /predict/{name}: {"inputs": [...]} -> {"model", "version", "outputs", "request_id"}."""
    name, number = request.path_params["name"], request_id(request)
    marked(request, service.router.find(name).key)
    data = await read_body(request, service.bodies)

    async def read(model: Served) -> Rows:
        def rows() -> Rows:
            schema = model.bundle.schema
            asked = _inputs(read_json(data), service.limits.rows(schema))
            values, explain = to_explain(asked, schema)
            return Rows(values, model.read(values), explain=explain)

        bundle = model.bundle
        slow = bundle.preparation.slow or crowded(data, bundle.schema)
        return await aside(len(data), rows, slow)

    question = Question(name, None, number, request.headers, "predict", request.state.terms)
    answered = await service.desk.ask(question, read, lambda held: marked(request, held.key))
    content = {
        "model": answered.name,
        "version": answered.version,
        "outputs": answered.answers,
        "request_id": number,
    }
    response = await aside(len(data), lambda: reply(content))
    response.headers["X-Request-Id"] = number
    return response


def _inputs(body: JsonValue, most: int) -> dict[str, JsonValue]:
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list):
        raise RequestError(
            "inputs",
            say("missing, or not a list.", "缺失，或不是列表。"),
            say('Expected {"inputs": [...]}.', '应为 {"inputs": [...]}。'),
        )
    _known(body, ("inputs", "explain"))
    _counted("inputs", body["inputs"], most)
    return body


def to_explain(body: Mapping[str, JsonValue], schema: Schema) -> tuple[list[JsonValue], list[int]]:
    """The inputs, and the places of those whose answers are to be explained.

    `"explain": true` stands beside the inputs, for all, or in an input, for it alone, where the
    model has no field of that name.

    Raises:
        RequestError: `explain` is no truth value, or asks for more reasons than one request may.
    """
    values = list(body["inputs"])
    every = _truth_value(body.get("explain", False), "explain")
    places = list(range(len(values))) if every else []
    if not any(EXPLAIN in (field.name, *field.aliases) for field in schema.request):
        for place, value in enumerate(values):
            if isinstance(value, dict) and EXPLAIN in value:
                wanted = _truth_value(value[EXPLAIN], f"inputs[{place}].explain")
                values[place] = {name: item for name, item in value.items() if name != EXPLAIN}
                if wanted and not every:
                    places.append(place)
    return values, counted_to_explain(places)


def _truth_value(value: JsonValue, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", " true 或 false")
    return value


def _known(body: dict[str, JsonValue], names: tuple[str, ...], where: str = "") -> None:
    if unknown := [name for name in body if name not in names]:
        raise RequestError(
            where + unknown[0][:100],
            say("no such field.", "没有此字段。"),
            say(f"Expected: {', '.join(names)}.", f"应为：{'、'.join(names)}。"),
        )


def _counted(name: str, values: list[JsonValue], most: int) -> None:
    if not 0 < len(values) <= most:
        raise RequestError(
            name,
            say(f"has {len(values)} elements.", f"有 {len(values)} 个元素。"),
            say(f"Expected 1 to {most}.", f"应为 1 到 {most} 个。"),
        )


async def feedback(service: Service, request: Request) -> Response:
    """POST /feedback/{name}: true answers by request id; on the disk before this answers.

    {"feedback": [{"request_id", "row": 0, "truth"}]}, or one such object alone. `truth` is the
    value of the answer's first field, or an object of the answer's fields.
    """
    name = request.path_params["name"]
    held = service.router.find(name)
    data = await read_body(request, service.bodies)
    async with service.router.fleet.lease(held) as model:
        schema = model.bundle.schema
    limits, model_name = service.limits, held.model.model
    found = await aside(len(data), lambda: read_feedback(read_json(data), schema, limits))
    service.desk.access.count(request.state.terms.caller, len(found))
    if service.logs.feedback is None:
        raise HTTPException(501, say("This service keeps no feedback.", "此服务不保存反馈。"))
    mask = service.logs.traffic.settings(model_name).mask
    try:
        await _must_be_answered(service.logs, model_name, found)
        await service.logs.feedback.add(model_name, found, mask)
    except OSError as error:
        raise HTTPException(
            503,
            say(
                f"The feedback could not be kept ({error.strerror}); send it again later.",
                f"无法保存反馈({error.strerror})；请稍后重发。",
            ),
            {"Retry-After": "10"},
        ) from error
    service.metrics.feedback.labels(model_name).inc(len(found))
    return reply({"model": model_name, "accepted": len(found)})


class UnansweredError(RegistryError):
    """Feedback on what this model never answered; names the field."""

    def __init__(self, field: str, found: Feedback, model: str, answered: bool) -> None:
        self.field = field
        number = found.number
        shown = repr(number if len(number) <= 60 else number[:57] + "...")
        problem = say(f"{model} has answered no request {shown}", f"{model} 没有答复过请求 {shown}")
        expected = say("the request_id of an answer of this model", "此模型某个答案中的 request_id")
        if answered:
            problem = say(
                f"request {shown} of {model} had no row {found.row}",
                f"{model} 的请求 {shown} 没有第 {found.row} 行",
            )
            expected = say(
                "the place of one of its rows, from 0", "该请求中某一行的行号，从 0 开始"
            )
        super().__init__(
            say(f"{field}: {problem}; nothing was kept.", f"{field}：{problem}；未保存任何内容。"),
            say(f"Expected {expected}.", f"应为{expected}。"),
        )


async def _must_be_answered(logs: Logs, model: str, found: Sequence[Feedback]) -> None:
    """What is known to have been asked of nobody has no true answer.

    Raises:
        UnansweredError: naming the first.
    """
    asked = {(each.number, row) for each in found for row in (0, each.row)}
    unheld = await logs.unheld(model, list(asked))
    for index, each in enumerate(found if unheld else ()):
        answered = (each.number, 0) not in unheld
        if not answered or (each.number, each.row) in unheld:
            where = f"feedback[{index}]." if len(found) > 1 else ""
            field = f"{where}row" if answered else f"{where}request_id"
            raise UnansweredError(field, each, model, answered)


def read_feedback(body: JsonValue, schema: Schema, limits: Limits) -> list[Feedback]:
    """What a caller says was right.

    Raises:
        RequestError: naming the field that does not fit.
    """
    if not isinstance(body, dict):
        raise _wrong("", "an object", "对象")
    if "feedback" not in body:
        return [_one(body, "", schema, limits)]
    _known(body, ("feedback",))
    items = body["feedback"]
    if not isinstance(items, list):
        raise _wrong("feedback", "a list", "列表")
    _counted("feedback", items, limits.inputs)
    return [_one(item, f"feedback[{index}].", schema, limits) for index, item in enumerate(items)]


def _one(item: JsonValue, where: str, schema: Schema, limits: Limits) -> Feedback:
    if not isinstance(item, dict):
        raise _wrong(where.rstrip("."), "an object", "对象")
    _known(item, ("request_id", "row", "truth"), where)
    number, row = item.get("request_id"), _whole(item.get("row", 0))
    if not isinstance(number, str) or not 0 < len(number) <= _NUMBER:
        raise _wrong(f"{where}request_id", "the request_id of an answer", "答案中的 request_id")
    if row is None or not 0 <= row < limits.inputs:
        raise _wrong(f"{where}row", "the place of a row, from 0", "行号，从 0 开始")
    return Feedback(number, row, _truth(item.get("truth"), f"{where}truth", schema))


def _whole(value: JsonValue) -> int | None:
    """A whole number; JSON has no other numbers than real ones, so that 3.0 is one too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)


def _truth(value: JsonValue, where: str, schema: Schema) -> dict[str, JsonValue]:
    """The true answer by the names of the answer's fields; scores have no truth of their own."""
    fields = {field.name: field for field in truth_fields(schema)}
    given = value if isinstance(value, dict) else {next(iter(fields)): value}
    if not given:
        raise _wrong(where, "the true answer", "真实答案")
    unknown = [name for name in given if name not in fields]
    if unknown:
        names = ", ".join(fields)
        raise _wrong(f"{where}.{unknown[0][:100]}", f"one of {names}", names)
    return {name: _read(fields[name], item, where) for name, item in given.items()}


def _read(field: Field, value: JsonValue, where: str) -> JsonValue:
    if value is None:
        raise _wrong(where, f"a {field.kind}", field.kind)
    return field.read(value, where)


def _wrong(where: str, expected: str, expected_zh: str) -> RequestError:
    return RequestError(
        where,
        say("missing, or of another kind.", "缺失，或类型不符。"),
        say(f"Expected {expected}.", f"应为{expected_zh}。"),
    )
