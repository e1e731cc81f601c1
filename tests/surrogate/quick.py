"""Settings of a fit whose quality is not the point: one head, few made answers, few folds."""

from components.surrogate.config import SurrogateConfig

QUICK = SurrogateConfig(
    head="logistic", folds=2, rewordings=1, negatives=("denied", "wrong_entity", "other_answer", "first_half")
)
