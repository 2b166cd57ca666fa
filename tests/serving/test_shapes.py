"""What the OpenAPI document allows for a field is what the field reads."""

from __future__ import annotations

import pytest

from luodi.contracts import Field, RequestError
from luodi.serving.openapi_shapes import asked_field

jsonschema = pytest.importorskip("jsonschema")


@pytest.mark.parametrize(
    ("field", "taken", "refused"),
    [
        (
            Field("paid", "boolean", example=True),
            [True, False, 0, 1, "yes", "No", " TRUE ", "是", "无", "1"],
            [2, "perhaps", "", None],
        ),
        (Field("price", "number", format="decimal-comma"), [1.5, "1.234,5", "24,5"], [True, None]),
        (Field("price", "number"), [1.5, 2], ["24,5", "24.5", True]),
        (Field("due", "date", format="digits"), [20200524, "20200524", "2020-05-24"], [None, True]),
        (Field("due", "date"), ["2020-05-24"], [20200524, None]),
    ],
)
def test_a_field_reads_what_the_document_allows(field, taken, refused):
    schema = jsonschema.Draft202012Validator(asked_field(field))
    for value in taken:
        assert schema.is_valid(value), value
        field.read(value, "here")
    for value in refused:
        assert not schema.is_valid(value), value
        with pytest.raises(RequestError):
            field.read(value, "here")
