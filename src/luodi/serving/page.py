"""One page that tells people how to ask; it needs no network and no script."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from luodi.contracts import Field, JsonValue, current_language, say
from luodi.serving.openapi import EXAMPLE_ID, example_feedback, example_input, example_tensors

if TYPE_CHECKING:
    from luodi.serving.fleet import Card

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;
padding:0 1rem;color:#1c2733}
h1,h2{line-height:1.2}h2{margin-top:2.2rem;border-top:1px solid #d5dde5;padding-top:1.2rem}
code,pre{font:14px/1.5 ui-monospace,Consolas,monospace;background:#f2f5f8;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow-x:auto}pre code{padding:0}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;
border-bottom:1px solid #d5dde5;vertical-align:top}small{color:#5b6b7b}
pre{white-space:pre-wrap}pre,small,td{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#10161d;color:#dde5ee}
code,pre{background:#1b242e}td,th,h2{border-color:#2c3844}small{color:#92a2b3}}
"""


def _routes() -> Sequence[tuple[str, str]]:
    return (
        ("POST /predict/{name}", say("ask a model, plainly", "向模型提问（简明格式）")),
        (
            "POST /v2/models/{name}[/versions/{version}]/infer",
            say("ask by the Open Inference Protocol", "按开放推理协议提问"),
        ),
        (
            "GET /v2/models/{name}[/versions/{version}]",
            say("what it asks and answers; /ready: is it ready", "输入与输出；/ready：是否就绪"),
        ),
        ("GET /v2/health/live, /v2/health/ready", say("is the service well", "服务是否健康")),
        (
            "POST /feedback/{name}",
            say("tell later what would have been right", "事后告知真实答案"),
        ),
        (
            "POST /v2/repository/index, /v2/repository/models/{name}/load, …/unload",
            say("what there is; load and unload while serving", "模型清单；服务中加载与卸载"),
        ),
        ("GET /v2, /", say("the service; what is served here", "服务信息；此处有哪些模型")),
        ("GET /metrics", say("for Prometheus", "供 Prometheus 采集")),
        ("GET /openapi.json", say("for programs", "供程序读取")),
    )


def docs_page(models: Sequence[Card], base: str) -> str:
    """The service for people: routes, fields and curl lines to copy. One file, no network."""
    parts = [_model_part(model, base) for model in models]
    title = say("A Luodi service", "Luodi 服务")
    intro = say(
        "Every answer names the version of the model that gave it. A request that does not fit "
        "is answered 4xx with the field at fault.",
        "每个答案都注明给出它的模型版本。不合格的请求得到 4xx，并指明出错的字段。",
    )
    heads = (say("Route", "路由"), say("What it is for", "用途"))
    rows = [(f"<code>{escape(route)}</code>", escape(text)) for route, text in _routes()]
    return f"""<!doctype html>
<html lang="{current_language()}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>{_STYLE}</style>
<h1>{title}</h1>
<p>{intro}</p>
{_table(heads, rows)}
{"".join(parts)}
</html>
"""


def _model_part(model: Card, base: str) -> str:
    schema, name = model.schema, quote(model.name)
    # By this id the feedback below finds it again.
    asked = _curl(f"{base}/predict/{name}", {"inputs": [example_input(schema)]}, EXAMPLE_ID)
    tensors = _curl(f"{base}/v2/models/{name}/infer", example_tensors(schema))
    truth = _curl(f"{base}/feedback/{name}", {"feedback": [example_feedback(schema)]})
    heads = (say("Field", "字段"), say("Kind", "类型"), say("Example or values", "示例或取值"))
    return f"""<h2>{escape(model.name)}</h2>
<p>{say("Version", "版本")} <code>{model.version}</code>
<small>{escape(model.digest)}</small></p>
<h3>{say("Ask", "提问")}</h3>
<pre><code>{escape(asked)}</code></pre>
<h3>{say("The same by the Open Inference Protocol", "按开放推理协议提问")}</h3>
<pre><code>{escape(tensors)}</code></pre>
<h3>{say("From Python", "在 Python 中")}</h3>
<pre><code>{escape(_python(base, model))}</code></pre>
<h3>{say("Later: the true answer", "事后：真实答案")}</h3>
<p>{
        say(
            "By the request_id of the answer; it is kept once this is answered.",
            "以答案中的 request_id 指明；收到回复即已保存。",
        )
    }</p>
<pre><code>{escape(truth)}</code></pre>
<h3>{say("A request", "请求")}</h3>{_fields(heads, schema.request)}
<h3>{say("An answer", "答案")}</h3>{_fields(heads, schema.answer)}
"""


def _fields(heads: Sequence[str], fields: Sequence[Field]) -> str:
    rows = []
    for field in fields:
        shown = ", ".join(field.categories[:20]) + (" …" if len(field.categories) > 20 else "")
        if not shown and field.example is not None:
            shown = json.dumps(field.example, ensure_ascii=False)
        shown = shown if len(shown) <= 300 else shown[:297] + "…"
        needed = "" if field.required else say(" (may be missing)", "(可缺失)")
        also = "".join(f", <code>{escape(alias)}</code>" for alias in field.aliases)
        name = f"<code>{escape(field.name)}</code>{also}"
        rows.append((name, field.kind + needed, escape(shown)))
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{head}</th>" for head in heads)
    body = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _python(base: str, model: Card) -> str:
    example = json.dumps(example_input(model.schema), ensure_ascii=False)
    value = {"true": "True", "false": "False", "null": "None"}
    # JSON's three words are other words in Python; no text is touched, as the example is one line.
    shown = re.sub(r'("(?:[^"\\]|\\.)*")|\b(true|false|null)\b',
                   lambda match: match[1] or value[match[2]], example)  # fmt: skip
    return (
        "from luodi.client import Client  # pip install 'luodi[client]'\n\n"
        f"with Client({base!r}) as client:\n"
        f"    told = client.predict({model.name!r}, [{shown}])\n"
        "    print(told.version, told.outputs)"
    )


def _curl(url: str, body: JsonValue, number: str = "") -> str:
    text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    named = f" -H 'X-Request-Id: {number}'" if number else ""
    return f"curl '{url}' -H 'Content-Type: application/json'{named} \\\n  -d '{text}'"
