"""Small embedding models with random weights, saved as real ones are."""

import io
import random
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from safetensors.numpy import save_file
from safetensors.torch import load_file as load_torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    PreTrainedTokenizerFast,
)

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
WORDS = ("red", "blue", "green", "circle", "square", "above", "below", "left", "of", "a", "the", "is")


def make_transformer(folder: Path, layers: int = 2) -> Path:
    """A BERT of width 32 that reads 64 tokens, with mean pooling and without normalisation."""
    torch.manual_seed(0)
    source = folder / "source"
    source.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *(f"w{number}" for number in range(1100))]
    (source / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizer(str(source / "vocab.txt"), model_max_length=64)
    tokenizer.save_pretrained(str(source))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(str(source))
    transformer = Transformer(str(source), max_seq_length=64)
    SentenceTransformer(modules=[transformer, Pooling(32)], device="cpu").save(str(folder / "model"))
    return folder / "model"


def make_static(folder: Path, width: int = 8) -> Path:
    """A table of random vectors for WORDS, in model2vec's format; a word that is none of them is read as the last."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(len(WORDS), width, generator=generator)
    save_file({"embeddings": table.numpy()}, str(folder / "model.safetensors"))
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=WORDS[-1]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def make_clip(folder: Path) -> Path:
    """A CLIP of width 16 that reads images of 32 x 32, and of a text 16 tokens, of which it knows COLOURS alone."""
    torch.manual_seed(2)
    sides = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    tokenizer = _clip_tokenizer()
    config = CLIPConfig(
        text_config={
            **sides,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 16,
            "projection_dim": 16,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**sides, "image_size": 32, "patch_size": 8, "projection_dim": 16, "initializer_range": 0.5},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(str(folder))
    return folder


def _clip_tokenizer() -> PreTrainedTokenizerFast:
    words = ["<unk>", "<s>", "</s>", *COLOURS]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )


def disc(colour: str, seed: int) -> bytes:
    """A PNG of a disc of a colour, somewhere on a light ground."""
    generator = random.Random(f"{colour} {seed}")
    picture = Image.new("RGB", (48, 40), tuple(generator.randint(225, 255) for _ in range(3)))
    left, top, size = generator.randint(0, 14), generator.randint(0, 8), generator.randint(20, 30)
    ImageDraw.Draw(picture).ellipse((left, top, left + size, top + size), fill=colour)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def teach_colours(folder: Path, steps: int = 60) -> Path:
    """Teach a CLIP of `make_clip` which word goes with which disc, as CLIP is taught: each to its own among others."""
    model = CLIPModel.from_pretrained(str(folder)).train()
    processor, tokenizer = (kind.from_pretrained(str(folder)) for kind in (CLIPImageProcessor, PreTrainedTokenizerFast))
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(steps):
        pictures = [Image.open(io.BytesIO(disc(colour, -1 - step))) for colour in COLOURS]
        pixels = processor(images=pictures, return_tensors="pt")["pixel_values"]
        texts = [("{}", "a {} disc", "it shows a {} disc")[step % 3].format(colour) for colour in COLOURS]
        ids = tokenizer(texts, return_tensors="pt")["input_ids"]
        optimiser.zero_grad()
        model(input_ids=ids, pixel_values=pixels, return_loss=True).loss.backward()
        optimiser.step()
    model.save_pretrained(str(folder))
    return folder


def table_of(folder: Path) -> dict[str, list[float]]:
    """The vectors of a static model's words."""
    return dict(zip(WORDS, load_torch(str(folder / "model.safetensors"))["embeddings"].tolist(), strict=True))
