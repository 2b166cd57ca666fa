"""The words that every room shares. Light: loads neither NumPy nor Polars."""

from luodi.contracts.dataset import COPIES, RESERVED, ROW, Dataset, Parts, Role, RoleRule
from luodi.contracts.errors import (
    BaseModelError,
    BundleError,
    DataError,
    LeakError,
    LuodiError,
    MissingPartError,
    Mistake,
    NoiseError,
    ProjectError,
    RegistryError,
    RequestError,
    TrainingError,
    UsageError,
)
from luodi.contracts.finding import Finding, Severity
from luodi.contracts.gate_rule import BEATS, GateRule, parse_rule
from luodi.contracts.json import Answer, JsonValue, Request
from luodi.contracts.language import (
    Language,
    current_language,
    say,
    system_language,
    use_language,
)
from luodi.contracts.learner import (
    Choice,
    Estimate,
    FitSettings,
    Fitted,
    Learner,
    Range,
    SearchSpace,
)
from luodi.contracts.metric import Classified, Grouping, Interval, Metric, Scored, Valued
from luodi.contracts.predictor import Answering, Explainer, Predictor, Reason
from luodi.contracts.progress import Progress, Quiet
from luodi.contracts.schema import Field, FieldKind, Schema
from luodi.contracts.section import Bars, Lines, Matrix, Section, Table
from luodi.contracts.settings import (
    Calibration,
    CleanSettings,
    ColumnKind,
    QuestionSettings,
    SplitSettings,
)
from luodi.contracts.task import Task

__all__ = [
    "BEATS",
    "COPIES",
    "RESERVED",
    "ROW",
    "Answer",
    "Answering",
    "Bars",
    "BaseModelError",
    "BundleError",
    "Calibration",
    "Choice",
    "Classified",
    "CleanSettings",
    "ColumnKind",
    "DataError",
    "Dataset",
    "Estimate",
    "Explainer",
    "Field",
    "FieldKind",
    "Finding",
    "FitSettings",
    "Fitted",
    "GateRule",
    "Grouping",
    "Interval",
    "JsonValue",
    "Language",
    "LeakError",
    "Learner",
    "Lines",
    "LuodiError",
    "Matrix",
    "Metric",
    "MissingPartError",
    "Mistake",
    "NoiseError",
    "Parts",
    "Predictor",
    "Progress",
    "ProjectError",
    "QuestionSettings",
    "Quiet",
    "Range",
    "Reason",
    "RegistryError",
    "Request",
    "RequestError",
    "Role",
    "RoleRule",
    "Schema",
    "Scored",
    "SearchSpace",
    "Section",
    "Severity",
    "SplitSettings",
    "Table",
    "Task",
    "TrainingError",
    "UsageError",
    "Valued",
    "current_language",
    "parse_rule",
    "say",
    "system_language",
    "use_language",
]
