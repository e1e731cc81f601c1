"""The base policy that curation asks: found by the recipe, loaded here or reached at a server."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, InputRef, digest_file, verify
from components.core.errors import ModelError, RecipeError
from components.core.hub import resolve_commit
from components.core.lineage import SOURCE_KIND
from components.core.policy import POLICY_FILE, Policy
from components.core.reply_journal import ReplyJournal
from components.curation.asking import Asker, AskingConfig, Sampler

_LONGEST = 2048  # tokens, for a policy that does not say


@dataclass(frozen=True)
class BasePolicy:
    """A policy to ask."""

    folder: Path
    """Where its files are; without meaning for one of the hub."""
    policy: Policy
    """How it is asked."""
    reference: InputRef
    """What it is."""

    def sampling(self, config: AskingConfig) -> dict[str, Any]:
        """All that decides a generation beside the question, the seed and the generation's number."""
        return {
            **config.sampling(),
            "policy": self.reference.fingerprint,
            "template": self.policy.prompt_template,
            "max_pixels": self.policy.max_pixels,
            "max_tokens": self.policy.max_completion_length,
        }

    def sampler(self, config: AskingConfig) -> Sampler:
        """Load it, or reach for its server.

        Raises:
            ModelError: It cannot be loaded.
        """
        if config.is_served:
            from components.curation.server_sampler import ServerSampler

            return ServerSampler(config.server, self.policy, config)
        from components.curation.policy_sampler import PolicySampler

        return PolicySampler(self.folder, self.policy, config)

    def asker(self, config: AskingConfig, journal: ReplyJournal, seed: int) -> Asker:
        """The policy behind a journal; it is loaded when the first question is not found there."""
        return Asker(_LazySampler(self, config), journal, self.sampling(config), seed)


class _LazySampler:
    def __init__(self, base: BasePolicy, config: AskingConfig) -> None:
        self._base, self._config = base, config
        self._sampler: Sampler | None = None

    def sample(self, asks: Any) -> Iterator[Any]:
        """Load the policy once, and ask it."""
        if self._sampler is None:
            self._sampler = self._base.sampler(self._config)
        return self._sampler.sample(asks)


def find_base_policy(config: AskingConfig, own: Path | None) -> BasePolicy:
    """The policy that a recipe names.

    Args:
        config: Names it, or leaves it to the run.
        own: The run's own base policy, an artifact.

    Raises:
        RecipeError: The recipe names none and there is none of the run.
        ArtifactError: The run's own is not what it should be.
        ModelError: The hub does not have it.
    """
    found = _find(config, own)
    longest = config.max_tokens or found.policy.max_completion_length
    return replace(found, policy=replace(found.policy, max_completion_length=longest))


def _find(config: AskingConfig, own: Path | None) -> BasePolicy:
    if not config.policy:
        if own is None:
            raise RecipeError(
                "asking.policy", "names no policy, and there is no base policy", "Name a folder or hub id"
            )
        reference = verify(own, "policy").reference()
        return BasePolicy(own, Policy.load(own), reference)
    folder = Path(config.policy)
    if folder.is_dir():
        reference = _reference(folder)
        policy = Policy.load(folder) if (folder / POLICY_FILE).is_file() else _policy(config)
        return BasePolicy(folder, policy, reference)
    # A server has the weights already, and the hub need not be within reach.
    commit = (
        config.revision if config.is_served else resolve_commit("model", config.policy, config.revision, ModelError)
    )
    policy = replace(_policy(config), model=config.policy, revision=commit)
    return BasePolicy(folder, policy, InputRef(SOURCE_KIND, _digest([config.policy, commit])))


def _policy(config: AskingConfig) -> Policy:
    return Policy(config.template, _LONGEST, config.max_pixels, dtype=config.dtype)


def _reference(folder: Path) -> InputRef:
    """Known by its digest alone: it is no artifact of the run, so that none has to be found for its lineage."""
    if (folder / MANIFEST).is_file():
        return InputRef(SOURCE_KIND, verify(folder).fingerprint)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return InputRef(SOURCE_KIND, _digest([[str(path.relative_to(folder)), digest_file(path)] for path in files]))


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
