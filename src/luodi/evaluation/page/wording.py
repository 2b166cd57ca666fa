"""How the page writes numbers, durations, sizes and texts that came from data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from luodi.contracts import Interval, say
from luodi.evaluation.figures import DASH, chance  # noqa: F401  # pages write chances too

# Characters that HTML forbids, and halves of surrogate pairs, which UTF-8 cannot carry.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def clean(value: object) -> object:
    """A value as the template may print it: strings without what no page can carry."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _FORBIDDEN.sub("\ufffd", value)
    return value


def text(value: object) -> Markup:
    """Text from data, escaped, and kept from turning its surroundings round (RTL, overrides)."""
    return Markup("<bdi>{}</bdi>").format(clean(str(value)))


def number(value: object) -> str:
    """A number to about four figures; a dash when there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return DASH if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if not math.isfinite(value):
        return DASH
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.00005 or size >= 1e9:
        return f"{value:.2e}".replace("-", "−")
    digits = 4 if size <= 1 else 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float) -> str:
    """A difference, its sign always shown."""
    return ("+" if value > 0 else "") + number(value)


def spread(interval: Interval) -> str:
    """The two ends of an interval."""
    return f"[{number(interval.low)}, {number(interval.high)}]"


def percent(share: float) -> str:
    """A share as a percentage, to a tenth."""
    return f"{100 * share:.1f}%" if math.isfinite(share) else DASH


def level(share: float) -> str:
    """A confidence level as a percentage, without needless zeros."""
    return f"{100 * share:.4g}%"


def duration(seconds: float) -> str:
    """Seconds in words that are read at a glance."""
    if seconds < 10:
        return say(f"{seconds:.1f} s", f"{seconds:.1f} 秒")
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        tail = say(f" {minutes_left} min", f" {minutes_left} 分钟") if minutes_left else ""
        return say(f"{hours} h", f"{hours} 小时") + tail
    if minutes:
        tail = say(f" {rest} s", f" {rest} 秒") if rest else ""
        return say(f"{minutes} min", f"{minutes} 分钟") + tail
    return say(f"{whole} s", f"{whole} 秒")


def size(count: float) -> str:
    """Bytes, in the unit that fits (powers of ten)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def as_interval(value: Any) -> Interval | None:
    """A table's cell that is an interval, as one."""
    if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value):
        ends = {
            k: math.nan if value[k] is None else float(value[k]) for k in ("value", "low", "high")
        }
        return Interval(**ends)
    return None


_COUNTS = {
    "rows": ("rows collected", "采集行数"),
    "duplicates": ("exact copies", "完全重复"),
    "near_duplicates": ("near-copies", "近似重复"),
    "conflicts": ("copies with conflicting labels", "标签冲突"),
    "empty": ("empty", "内容为空"),
    "train": ("training", "训练"),
    "valid": ("validation", "验证"),
    "test": ("test", "测试"),
    "limit": ("beyond the row limit", "超出行数上限"),
    "kept": ("kept", "保留行数"),
    "personal_data": ("with personal data", "含个人信息"),
    "test_copies": ("copies of test rows", "与测试表重复"),
    "suspicious": ("suspicious labels", "可疑标签"),
    "missing": ("with missing values", "含缺失值"),
    "outliers": ("outliers", "离群"),
    "rare_classes": ("of rare classes", "稀有类别"),
    "unlabelled": ("without a label", "缺少标签"),
}

_KEYS = {
    "learner": ("learner", "学习器"),
    "base": ("base model", "基座模型"),
    "bundle_bytes": ("bundle size", "模型包大小"),
    "budget": ("training budget", "训练时限"),
    "parameters": ("parameters", "参数量"),
    "seconds": ("time", "用时"),
    "seed": ("seed", "随机种子"),
    "how": ("method", "方式"),
    "group": ("kept together by", "按列归组"),
    "time": ("ordered by", "按时间列"),
    "valid": ("validation share", "验证占比"),
    "test": ("test share", "测试占比"),
    "value": ("validation score", "验证得分"),
    "metric": ("metric", "指标"),
    "trials": ("settings tried", "尝试设置数"),
    "chosen": ("chosen", "是否选用"),
    "train_seconds": ("training time", "训练用时"),
    "threads": ("threads", "线程数"),
    "limit": ("row limit", "行数上限"),
    "official_test": ("official test table", "官方测试表"),
    "official_valid": ("official validation table", "官方验证表"),
    "name": ("column", "列"),
    "column": ("column", "列"),
    "role": ("role", "角色"),
    "kind": ("kind", "类型"),
    "type": ("type", "类型"),
    "missing": ("missing", "缺失"),
    "distinct": ("distinct", "不同取值"),
    "unique": ("distinct", "不同取值"),
    "mean": ("mean", "均值"),
    "min": ("lowest", "最小"),
    "max": ("highest", "最大"),
    "minimum": ("lowest", "最小"),
    "maximum": ("highest", "最大"),
    "median": ("median", "中位数"),
    "examples": ("examples", "示例"),
    "example": ("example", "示例"),
    "top": ("most frequent", "最常见"),
    "row": ("row", "行"),
    "other": ("other", "另一行"),
    "texts": ("texts", "文本"),
    "times": ("times", "次数"),
    "similarity": ("similarity", "相似度"),
    "file": ("file", "文件"),
    "line": ("line", "行号"),
    "rows": ("rows", "行数"),
    "text": ("text", "文本"),
    "label": ("label", "标签"),
    "labels": ("labels", "标签"),
    "given": ("given", "原标签"),
    "suggested": ("suggested", "建议标签"),
    "corrected": ("corrected", "更正标签"),
    "confidence": ("confidence", "把握"),
    "share": ("share", "占比"),
    "cut short": ("cut short", "被截断"),
    "holds": ("holds", "取值"),
    "values": ("values", "取值"),
    "usual": ("usual", "正常范围"),
    "alone": ("beyond a gap", "是否孤立"),
    "forms": ("forms", "写法"),
    "languages": ("languages", "语言"),
    "gaps": ("gaps", "间断数"),
    "longest": ("longest", "最长间断"),
    "missing steps": ("missing steps", "缺失步数"),
    "latest": ("latest", "最晚"),
    "stands for missing": ("stands for missing", "疑为缺失标记"),
    "numbers": ("numbers", "数字占比"),
    "stability index": ("stability index", "稳定性指数"),
    "new values": ("new values", "新值占比"),
    "what": ("what", "变化"),
    "only in": ("only in", "只存在于"),
    "count": ("count", "数量"),
    "epoch": ("epoch", "轮次"),
    "step": ("step", "步数"),
    "train_loss": ("training loss", "训练损失"),
    "valid_loss": ("validation loss", "验证损失"),
}

_KINDS = {
    "text": ("text", "文本"),
    "category": ("category", "类别"),
    "number": ("number", "数值"),
    "boolean": ("yes or no", "是否"),
    "date": ("date", "日期"),
    "identifier": ("identifier", "标识符"),
    "empty": ("empty", "空列"),
}

_CODES = {
    "missing-values": ("missing", "缺失"),
    "missing-as-text": ("missing, as text", "以文字表示的缺失"),
    "constant-columns": ("constant", "常量"),
    "near-constant-columns": ("nearly constant", "近似常量"),
    "copied-columns": ("copy of a column", "重复列"),
    "correlated-columns": ("on one line", "完全相关"),
    "many-zeros": ("many zeros", "大量零值"),
    "strong-skew": ("long tail", "严重偏斜"),
    "numbers-as-text": ("numbers as text", "文本形式的数字"),
    "mixed-types": ("stray among numbers", "数字中的杂项"),
    "mixed-dates": ("mixed dates", "日期写法不一"),
    "spellings": ("several spellings", "写法不一"),
    "outliers": ("outlier", "离群值"),
    "mojibake": ("wrong encoding", "乱码"),
    "hidden-characters": ("hidden characters", "不可见字符"),
    "mixed-languages": ("other language", "其他语言"),
    "identifier-columns": ("identifier", "标识符"),
    "time-gaps": ("gaps in time", "时间间断"),
    "future-dates": ("future date", "未来日期"),
    "sorted-by-label": ("sorted by label", "按标签排序"),
    "row-order": ("follows the rows' order", "随行序变化"),
    "duplicate-rows": ("copy", "重复行"),
    "label-conflicts": ("conflicting label", "标签冲突"),
    "near-duplicates": ("near-copy", "近似重复"),
    "class-imbalance": ("imbalance", "类别不均"),
    "rare-classes": ("rare class", "稀有类别"),
    "personal-data": ("personal data", "个人信息"),
    "personal-numbers": ("personal data as numbers", "数值形式的个人信息"),
    "target-leak": ("gives the label away", "泄漏标签"),
    "near-leak": ("nearly gives the label away", "几乎泄漏标签"),
    "label-noise": ("doubtful label", "可疑标签"),
}

_STAGES = {
    "collect": ("collect", "采集"),
    "inspect": ("inspect", "检查"),
    "prepare": ("prepare", "清洗"),
    "augment": ("make rows to learn from", "数据增强"),
    "doubt": ("doubt the labels", "核查标签"),
    "split": ("split", "划分"),
    "mend": ("mend", "修补"),
    "baselines": ("baselines", "训练基线"),
    "leak": ("leak", "泄漏演示"),
    "train": ("train", "训练"),
    "fold": ("fold", "交叉验证折"),
    "package": ("package", "打包"),
    "evaluate": ("evaluate", "评估"),
    "gate": ("gate", "门禁"),
    "register": ("register", "登记"),
}


def _worded(words: Mapping[str, tuple[str, str]], name: str) -> str:
    return say(*words[name]) if name in words else name.replace("_", " ").removeprefix("__")


def count_name(name: str) -> str:
    """What a count of rows, or a reason for dropping them, is called."""
    return _worded(_COUNTS, name)


def key_name(name: str) -> str:
    """What a key of a record is called; an unknown one keeps its own name."""
    return _worded(_KEYS, name)


def code_names(codes: str) -> str:
    """What findings' codes, parted by commas, are called where there is little room."""
    return ", ".join(
        say(*_CODES[code]) if code in _CODES else code.replace("-", " ")
        for code in codes.split(", ")
    )


def kind_name(name: str) -> str:
    """What a kind of column is called."""
    return _worded(_KINDS, name)


def stage_name(name: str) -> str:
    """What a stage of a run is called; `train-linear` is training of a learner."""
    stage, _, learner = name.partition("-")
    return _worded(_STAGES, stage) + (f" {learner}" if learner else "")


def keys(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of records as columns, in the order in which they come up."""
    return list(dict.fromkeys(key for record in records for key in record))


def count_or_number(value: float) -> str:
    """A count without decimals, any other number as `number` writes it."""
    return number(int(value)) if float(value).is_integer() else number(value)


def shade(value: float, row: Sequence[float]) -> str:
    """How dark a cell is: its share of the row, as a percentage of the full colour."""
    whole = sum(row)
    return f"{100 * value / whole:.1f}%" if whole else "0%"


def is_number(value: object) -> bool:
    """Whether a value is a number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shorten(value: object, length: int = 24) -> str:
    """The beginning of a text, the cut shown."""
    line = " ".join(str(value).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def rule(text: str) -> str:
    """A gate's rule with the signs that print has for it."""
    return text.replace(">=", "≥").replace("<=", "≤")


def counted(count: int, message: str) -> bool:
    """Whether a message already tells its count."""
    return str(count) in message.replace(",", "")
