"""The protocol's messages, made when a service starts.

Names and numbers are the protocol's own (package `inference`):
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
with Triton's repository messages beside them. They live in a pool of their own: a process that also
imports a client's generated messages of the same names would not start otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

_PARAMETERS = "map InferParameter"
_TENSOR = {
    "name": "1 string",
    "datatype": "2 string",
    "shape": "3 repeated int64",
    "parameters": f"4 {_PARAMETERS}",
    "contents": "5 InferTensorContents",
}
_NAMED = {"name": "1 string", "version": "2 string"}
_REPOSITORY = {
    # Triton: the repository, then the model. KServe has the model's name here, and no more.
    "repository_name": "1 string",
    "model_name": "2 string",
    "parameters": "3 map ModelRepositoryParameter",
}

MESSAGES: Mapping[str, Mapping[str, str]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": "1 bool"},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": "1 bool"},
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": {"ready": "1 bool"},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {**_NAMED, "extensions": "3 repeated string"},
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse": {
        "name": "1 string",
        "versions": "2 repeated string",
        "platform": "3 string",
        "inputs": "4 repeated ModelMetadataResponse.TensorMetadata",
        "outputs": "5 repeated ModelMetadataResponse.TensorMetadata",
    },
    "ModelMetadataResponse.TensorMetadata": {
        "name": "1 string",
        "datatype": "2 string",
        "shape": "3 repeated int64",
    },
    "InferParameter": {
        "bool_param": "1 oneof bool",
        "int64_param": "2 oneof int64",
        "string_param": "3 oneof string",
        "double_param": "4 oneof double",
        "uint64_param": "5 oneof uint64",
    },
    "InferTensorContents": {
        "bool_contents": "1 repeated bool",
        "int_contents": "2 repeated int32",
        "int64_contents": "3 repeated int64",
        "uint_contents": "4 repeated uint32",
        "uint64_contents": "5 repeated uint64",
        "fp32_contents": "6 repeated float",
        "fp64_contents": "7 repeated double",
        "bytes_contents": "8 repeated bytes",
    },
    "ModelInferRequest": {
        "model_name": "1 string",
        "model_version": "2 string",
        "id": "3 string",
        "parameters": f"4 {_PARAMETERS}",
        "inputs": "5 repeated ModelInferRequest.InferInputTensor",
        "outputs": "6 repeated ModelInferRequest.InferRequestedOutputTensor",
        "raw_input_contents": "7 repeated bytes",
    },
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": {
        "name": "1 string",
        "parameters": f"2 {_PARAMETERS}",
    },
    "ModelInferResponse": {
        "model_name": "1 string",
        "model_version": "2 string",
        "id": "3 string",
        "parameters": f"4 {_PARAMETERS}",
        "outputs": "5 repeated ModelInferResponse.InferOutputTensor",
        "raw_output_contents": "6 repeated bytes",
    },
    "ModelInferResponse.InferOutputTensor": _TENSOR,
    "ModelRepositoryParameter": {
        "bool_param": "1 oneof bool",
        "int64_param": "2 oneof int64",
        "string_param": "3 oneof string",
        "bytes_param": "4 oneof bytes",
    },
    "RepositoryIndexRequest": {"repository_name": "1 string", "ready": "2 bool"},
    "RepositoryIndexResponse": {"models": "1 repeated RepositoryIndexResponse.ModelIndex"},
    "RepositoryIndexResponse.ModelIndex": {
        **_NAMED,
        "state": "3 string",
        "reason": "4 string",
    },
    "RepositoryModelLoadRequest": _REPOSITORY,
    "RepositoryModelLoadResponse": {"model_name": "1 string", "isLoaded": "2 bool"},
    "RepositoryModelUnloadRequest": _REPOSITORY,
    "RepositoryModelUnloadResponse": {"model_name": "1 string", "isUnloaded": "2 bool"},
}
"""Message -> field -> its number, label and type."""


def classes() -> dict[str, Any]:
    """The messages' classes, by name."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="luodi/open_inference.proto", package=PACKAGE, syntax="proto3"
    )
    made: dict[str, Any] = {}
    for name, fields in MESSAGES.items():
        outer, _, inner = name.partition(".")
        place = made[outer].nested_type if inner else file.message_type
        message = made[name] = place.add(name=inner or outer)
        for field, said in fields.items():
            _add(message, f".{PACKAGE}.{name}", field, said.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in MESSAGES
    }


def _add(message: Any, path: str, name: str, said: list[str]) -> None:
    """One field, as `MESSAGES` says it."""
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    number, *labels, kind = said
    repeated = FieldDescriptorProto.LABEL_REPEATED
    field = message.field.add(name=name, number=int(number))
    field.label = repeated if labels else FieldDescriptorProto.LABEL_OPTIONAL
    if labels == ["oneof"]:
        field.label = FieldDescriptorProto.LABEL_OPTIONAL
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    if labels == ["map"]:
        # A map is a repeated message of keys and values, as protoc writes it.
        entry = message.nested_type.add(name="".join(p.title() for p in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add(entry, "", "key", ["1", "string"])
        _add(entry, "", "value", ["2", kind])
        _typed(field, f"{path}.{entry.name}")
    else:
        _typed(field, kind)


def _typed(field: Any, kind: str) -> None:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    scalar = getattr(FieldDescriptorProto, f"TYPE_{kind.upper()}", None)
    if scalar is None:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = kind if kind.startswith(".") else f".{PACKAGE}.{kind}"
    else:
        field.type = scalar
