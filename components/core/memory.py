"""A memory that is full, the GPU's or the machine's."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the memory, the GPU's or the machine's, is full."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text))
    )


def release_memory() -> None:
    """Give the GPU's unused memory back, where there is a GPU."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
