"""In which precision a frozen model's matrices are multiplied, and on which kernels."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Precision = Literal["float32", "bfloat16"]


def resolve_precision(asked: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """The precision to use here: "auto" is bfloat16 where the processor multiplies it itself (AVX-512 BF16 or AMX)."""
    if asked == "auto":
        return "bfloat16" if _multiplies_bfloat16() else "float32"
    return asked


def kernels() -> str:
    """What decides the last bits besides the model: torch's version and what the processor can do."""
    import torch

    return f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()} bf16={_multiplies_bfloat16()}"


def _multiplies_bfloat16() -> bool:
    import torch

    # Without oneDNN torch multiplies bfloat16 element by element, slower than float32.
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@contextmanager
def computing(precision: Precision) -> Iterator[None]:
    """Inference on one thread, so that the bits do not depend on how many there are; the count is put back after.

    In bfloat16 only products of matrices are: sums, normalisations and what runs through the layers stay float32,
    which keeps the cosine to float32 at 0.99998 (all in bfloat16: 0.997).
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        torch.set_num_threads(threads)
