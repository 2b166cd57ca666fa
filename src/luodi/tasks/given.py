"""What models that were trained elsewhere share, whatever their task: names, findings, sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.compression.parity import onnx_session
from luodi.contracts import BaseModelError, Finding, FitSettings, TrainingError, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".sav", ".cbm", ".h5", ".keras"}


class GivenSession:
    """An ONNX file as one function; safe to call from several threads."""

    def __init__(self, model: Path, threads: int) -> None:
        self._session = onnx_session(model, threads)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """The only output."""
        found: NDArray[Any] = self._session.run(None, dict(feeds))[0]
        return found


def open_graph(graph: Any, path: Path, threads: int) -> GivenSession:
    """A session over a graph in memory, by way of a file at `path` that is gone again then.

    Raises:
        BaseModelError: the runtime cannot compute it.
    """
    from luodi.compression.graph import save_graph

    save_graph(graph, path)
    try:
        return GivenSession(path, threads)
    except Exception as error:  # the runtime's errors have no family
        raise BaseModelError(
            say(
                f"ONNX Runtime cannot open the model: {error}",
                f"ONNX Runtime 无法打开该模型：{error}",
            ),
            say("Expected a model of ONNX opset 7 to 24.", "应为 ONNX opset 7 至 24 的模型。"),
        ) from error
    finally:
        path.unlink(missing_ok=True)


def given_path(settings: FitSettings) -> Path:
    """Where the model is.

    Raises:
        TrainingError: the project does not say.
    """
    if settings.base is None:
        raise TrainingError(
            say("model.base is not set.", "未设置 model.base。"),
            say(
                "The learner given takes over a model that was trained elsewhere.",
                "学习器 given 接管在别处训练的模型。",
            ),
            say("Set model.base to its file or folder.", "请将 model.base 设为其文件或目录。"),
        )
    return Path(settings.base).expanduser()


def nothing_there(path: Path, expected: str) -> BaseModelError:
    """The error for a path with nothing that can be taken over."""
    if not path.exists():
        return BaseModelError(
            say(f"There is no file or folder {path}.", f"没有文件或目录 {path}。"),
            say(f"Expected {expected}.", f"应为{expected}。"),
        )
    if path.suffix.lower() in _PICKLES:
        return BaseModelError(
            say(
                f"{path.name} may run code when it is opened; Luodi does not open it.",
                f"{path.name} 打开时可能执行代码，Luodi 不会打开它。",
            ),
            say(f"Expected {expected}.", f"应为{expected}。"),
            say(
                "Convert it where it was made: skl2onnx for scikit-learn, booster.save_model for "
                "LightGBM, save_pretrained for Transformers.",
                "请在原环境中转换：scikit-learn 用 skl2onnx，LightGBM 用 booster.save_model，"
                "Transformers 用 save_pretrained。",
            ),
        )
    return BaseModelError(
        say(
            f"{path} is nothing that can be taken over for this task.",
            f"{path} 不是可供此任务接管的模型。",
        ),
        say(f"Expected {expected}.", f"应为{expected}。"),
    )


def output_labels(
    told: Sequence[str], asked: Sequence[str] | None, outputs: int, wanted: Sequence[str]
) -> tuple[str, ...]:
    """What each output of a classifier stands for.

    Args:
        told: by the model, in its order; empty where it does not say.
        asked: by the project, in the model's order.
        outputs: how many there are; 1 speaks for the second of two labels.
        wanted: the labels of the question.

    Raises:
        TrainingError: there are not as many names as outputs, nobody names them, or rows carry a
            label that the model cannot answer.
    """
    count = max(outputs, 2)
    names = tuple(str(name) for name in (asked or told))
    numbers = tuple(str(number) for number in range(count))
    if not names and set(wanted) <= set(numbers):
        names = numbers  # the table's labels are the outputs' own numbers
    order = say(
        "Name them in the model's order: --labels first,second, or model.options.labels.",
        "请按模型的顺序命名：--labels 第一,第二，或 model.options.labels。",
    )
    if len(names) != count:
        raise TrainingError(
            say(
                f"The model has {count} outputs and {len(names)} names for them"
                + (f": {', '.join(names)}." if names else "."),
                f"模型有 {count} 个输出，名称有 {len(names)} 个"
                + (f"：{'、'.join(names)}。" if names else "。"),
            ),
            say(f"The rows' labels: {', '.join(wanted)}.", f"数据中的标签：{'、'.join(wanted)}。"),
            order,
        )
    if unknown := [label for label in wanted if label not in names]:
        raise TrainingError(
            say(
                f"Rows carry the label {unknown[0]}, which the model cannot answer.",
                f"数据中有标签 {unknown[0]}，而模型无法给出。",
            ),
            say(f"It answers: {', '.join(names)}.", f"模型的标签：{'、'.join(names)}。"),
            order,
        )
    return names


def order_of(names: Sequence[str], labels: Sequence[str]) -> list[int]:
    """For each label of the question the place of the output that stands for it."""
    if set(names) != set(labels):
        raise TrainingError(
            say(
                f"The model answers {', '.join(names)}; the question's labels are "
                f"{', '.join(labels)}.",
                f"模型的标签为 {'、'.join(names)}；问题的标签为 {'、'.join(labels)}。",
            ),
            "",
            say(
                "Name all of the model's labels under data.labels.",
                "请在 data.labels 中列出模型的全部标签。",
            ),
        )
    return [list(names).index(label) for label in labels]


def adopted_finding(kind: str, name: str) -> Finding:
    """What nobody can know of a model that was trained elsewhere."""
    return Finding(
        "trained-elsewhere",
        "warning",
        0,
        say(
            f"{name} ({kind}) was trained elsewhere: whether it has seen rows of this table cannot "
            "be known.",
            f"{name}（{kind}）在别处训练：无法得知它是否见过本表中的行。",
        ),
        remedy=say(
            "Judge it on rows that arose after it was trained.",
            "请用其训练之后产生的数据来评估。",
        ),
    )
