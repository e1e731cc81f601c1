from dataclasses import replace
from types import SimpleNamespace

import pytest

from components.core.errors import RewardHackingError
from components.core.example import AnswerType
from components.rewards.canaries import CanariesConfig
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.training.canary_watch import canary_watch

NUMBER = Checkable(question="How many?", references=("5",), answer_type=AnswerType.NUMBER, verifiable=True)
OPEN = replace(NUMBER, references=("a red car",), answer_type=AnswerType.OPEN_ENDED, verifiable=False)


class LongerIsBetter:
    """A reward model that is easily gamed."""

    def score(self, _questions: object, answers: list[str], _references: object) -> list[float]:
        return [min(1.0, len(answer) / 100) for answer in answers]


def step(portfolio: Portfolio, number: int, example: Checkable, **config: object) -> None:
    watch = canary_watch(portfolio, [example], CanariesConfig.model_validate(config))
    watch.on_step_end(None, SimpleNamespace(global_step=number), None)


def test_a_reward_that_can_be_gamed_ends_the_training() -> None:
    gameable = Portfolio(RewardsConfig(), LongerIsBetter())
    with pytest.raises(RewardHackingError):
        step(gameable, 10, OPEN, every=10, open_ended_policy="raise")


def test_probes_wait_for_their_step() -> None:
    gameable = Portfolio(RewardsConfig(), LongerIsBetter())
    step(gameable, 9, OPEN, every=10, open_ended_policy="raise")
    step(gameable, 10, OPEN, every=0, open_ended_policy="raise")


def test_rules_stand_the_probes() -> None:
    step(Portfolio(RewardsConfig(), None), 10, NUMBER, every=10, policy="raise")


class PictureIsBetter:
    """A reward model that pays what is about a picture by its length, and the rest nothing."""

    wants_images = True

    def score(
        self, _questions: object, answers: list[str], _references: object, images: list[bytes | None]
    ) -> list[float]:
        return [
            min(1.0, len(answer) / 100) * (image is not None) for answer, image in zip(answers, images, strict=True)
        ]


def test_probes_are_made_beside_the_picture() -> None:
    gameable, config = Portfolio(RewardsConfig(), PictureIsBetter()), CanariesConfig(open_ended_policy="raise", every=1)
    canary_watch(gameable, [OPEN], config).on_step_end(None, SimpleNamespace(global_step=1), None)

    with pytest.raises(RewardHackingError):
        canary_watch(gameable, [OPEN], config, {OPEN: b"1"}).on_step_end(None, SimpleNamespace(global_step=1), None)
