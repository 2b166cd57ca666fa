"""A BERT of a few thousand weights, made on the spot, so that fine-tuning is tested for real."""

from __future__ import annotations

from pathlib import Path

NEUTRAL = [
    "book", "film", "phone", "hotel", "meal", "the", "a", "is", "was", "very", "not", "this",
    "that", "it", "and", "but", "room", "service", "price",
]  # fmt: skip
POLAR = ["good", "great", "nice", "happy", "bad", "poor", "awful", "sad"]
WORDS = [*POLAR, *NEUTRAL]
LETTERS = "abcdefghijklmnopqrstuvwxyz好坏书很不错差房间服务"


def make_tiny_base(folder: Path, hidden: int = 32, layers: int = 2) -> Path:
    """A Transformers folder: config.json, model.safetensors, tokenizer.json."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
    )
    model = BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for parameter in model.parameters():  # no two alike, so that none can be mistaken
            parameter.add_(0.05 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    return folder
